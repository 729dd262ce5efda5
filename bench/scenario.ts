import { createWorkplace } from './api.ts';
import { runLoad, type LoadResult } from './load.ts';
import type { BenchOptions, LoadScenario } from './options.ts';
import { EVENT_TYPE } from './payload.ts';
import type { Measured } from './processes.ts';
import type { Course, Tools } from './sending.ts';
import type { Target } from './target.ts';

export interface Receiver {
  origin: string;
  /** The path of endpoint 0 is this and `0`. */
  paths: string;
}

export interface Bench {
  options: BenchOptions;
  tools: Tools;
  receiver: Receiver;
  /** Missing when the tools are calibrated. */
  target?: Target;
  /** The generator, the receiver and so on. */
  toolProcesses: readonly Measured[];
  say: (text: string) => void;
}

interface Kind {
  endpoints: number;
  seconds: number;
  /** Events per second; a search for the highest sustained rate begins with `searchFrom` instead. */
  rate?: number;
  searchFrom?: number;
}

/** Steps of the search are this far apart; the longer measured load then has the last word. */
const SEARCH_FACTOR = 1.5;
const SEARCH_SECONDS = 8;
const REFINEMENTS = 2;
const STEP_DOWN = 0.92;
const MAX_STEPS_DOWN = 5;
const LOWEST_RATE = 5;
/** Deliveries a second of the warm-up, at least: fewer would leave the code uncompiled. */
const WARM_UP_DELIVERIES = 500;

export function kindOf(name: LoadScenario, options: BenchOptions): Kind {
  const { rate, durationSeconds } = options;
  const fixed = rate === undefined ? {} : { rate };
  switch (name) {
    case 'throughput':
      return { endpoints: 1, seconds: durationSeconds ?? 20, searchFrom: 1000, ...fixed };
    case 'fanout':
      return { endpoints: options.endpoints, seconds: durationSeconds ?? 20, searchFrom: 100, ...fixed };
    case 'latency':
      return { endpoints: 1, seconds: durationSeconds ?? 30, rate: rate ?? 100 };
    case 'calibrate':
      return { endpoints: 1, seconds: durationSeconds ?? 10, rate: rate ?? 2000 };
  }
}

/** @returns one result per run */
export async function runScenario(name: LoadScenario, bench: Bench): Promise<LoadResult[]> {
  const { options, target, receiver } = bench;
  const kind = kindOf(name, options);
  if (!target) {
    const course: Course = {
      origin: receiver.origin,
      path: `${receiver.paths}0`,
      endpoints: 1,
      processes: bench.toolProcesses,
    };
    return measure(bench, course, kind);
  }
  const workplace = await createWorkplace(target, {
    namespace: `bench-${name}-${Date.now().toString(36)}`,
    subscriptions: Array.from({ length: kind.endpoints }, (_, n) => ({
      name: `endpoint-${n}`,
      eventType: EVENT_TYPE,
      url: `${receiver.origin}${receiver.paths}${n}`,
      delivery: { concurrency: options.concurrency },
    })),
  });
  try {
    return await measure(
      bench,
      {
        origin: target.ingestUrl,
        path: '/v1/events',
        authorization: `Bearer ${workplace.publishKey}`,
        endpoints: kind.endpoints,
        audited: { target, namespace: workplace.namespace },
        processes: [...target.processes, ...bench.toolProcesses],
      },
      kind,
    );
  } finally {
    await workplace.remove();
  }
}

async function measure(bench: Bench, course: Course, kind: Kind): Promise<LoadResult[]> {
  const { options, tools, say } = bench;
  const load = async (
    rate: number,
    seconds: number,
    purpose: string,
    measured: boolean,
  ): Promise<LoadResult> => {
    say(`${purpose}: ${rate} events/s for ${seconds} s …`);
    const result = await runLoad(tools, course, options, { rate, seconds, measured });
    say(summary(result));
    return result;
  };
  const warmUpRate = Math.max(kind.rate ?? kind.searchFrom ?? 0, WARM_UP_DELIVERIES / kind.endpoints);
  const warmUp = await load(Math.min(warmUpRate, 1000), options.warmUpSeconds, 'Warm-up', false);
  // Without a system that delivers there is nothing to measure.
  if (warmUp.objections.length > 0) return [warmUp];

  const results: LoadResult[] = [];
  let rate = kind.rate;
  rate ??= await search(kind.searchFrom ?? 100, (each) => load(each, SEARCH_SECONDS, 'Search', false));
  for (let run = 1; run <= options.runs; run++) {
    let result = await load(rate, kind.seconds, `Run ${run} of ${options.runs}`, true);
    for (let step = 0; kind.rate === undefined && !result.sustained && step < MAX_STEPS_DOWN; step++) {
      if (result.objections.length > 0) break;
      rate = Math.round(rate * STEP_DOWN);
      result = await load(rate, kind.seconds, `Not sustained; run ${run} again`, true);
    }
    results.push(result);
  }
  return results;
}

/** Climbs until the system no longer keeps up (or goes down until it does), then halves the gap a few times. */
export async function search(
  start: number,
  attempt: (rate: number) => Promise<{ sustained: boolean }>,
): Promise<number> {
  let good: number | undefined;
  let bad: number | undefined;
  let rate = start;
  while (good === undefined || bad === undefined) {
    if ((await attempt(rate)).sustained) good = rate;
    else bad = rate;
    if (rate <= LOWEST_RATE && good === undefined) return LOWEST_RATE;
    if (good === undefined) rate = Math.max(LOWEST_RATE, Math.round(rate / SEARCH_FACTOR));
    else if (bad === undefined) rate = Math.round(rate * SEARCH_FACTOR);
  }
  for (let refinement = 0; refinement < REFINEMENTS; refinement++) {
    const middle = Math.round(Math.sqrt(good * bad));
    if (middle <= good || middle >= bad) break;
    if ((await attempt(middle)).sustained) good = middle;
    else bad = middle;
  }
  return good;
}

function summary({ figures, ledger, sustained, objections }: LoadResult): string {
  const { deliveredPerSecond, latencyMs, lastArrivalLagMs, ledgerLagMs } = figures;
  const numbers =
    `${deliveredPerSecond.toFixed(0)} delivered/s, p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms, ` +
    `${ledger.accepted} of ${ledger.events} accepted, lag at the end ${lastArrivalLagMs.toFixed(0)} ms, ` +
    `of the ledger ${ledgerLagMs.toFixed(0)} ms`;
  const verdict =
    objections.length > 0 ? `VOID: ${objections.join('; ')}` : sustained ? 'sustained' : 'not sustained';
  return `  ${numbers}: ${verdict}`;
}
