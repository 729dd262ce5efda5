import { createWorkplace } from './api.ts';
import { monotonicMs } from './clock.ts';
import { BenchError } from './errors.ts';
import { acceptedOf, untilArrived, untilTallied } from './following.ts';
import { objections, type RunLedger } from './ledger.ts';
import { sharingWithDead } from './neighbour-figures.ts';
import type { Watch } from './neighbour-run.ts';
import type { BenchOptions } from './options.ts';
import { EVENT_TYPE } from './payload.ts';
import { RetryMeter, type RetryRates } from './retry-meter.ts';
import type { Bench, Receiver } from './scenario.ts';
import { expectLoad, sendLoad, type Generator, type Receiving } from './sending.ts';
import { distributionOf, type Distribution } from './statistics.ts';
import { steadyLoad } from './steady-load.ts';
import type { Target } from './target.ts';

export interface BacklogPlan {
  /** Events that pile up, and how many of them are published a second. */
  backlog: number;
  floodRate: number;
  /** Events a second to the subscribers that answer. */
  steadyRate: number;
  /** How many those are. */
  others: number;
  beforeSeconds: number;
  /** How long the backlog stands before the subscriber answers again. */
  standingSeconds: number;
}

/** `before` anything piles up, while it is `filling`, while it is `standing`, and while it is `draining`. */
export type Phase = 'before' | 'filling' | 'standing' | 'draining';

export interface PhaseFigures {
  phase: Phase;
  seconds: number;
  retries: RetryRates;
  /** Due time to arrival, at subscribers on the dead one's home partition, and at the others. */
  sharingMs: Distribution;
  apartMs: Distribution;
}

export interface BacklogReport {
  plan: BacklogPlan;
  /** Subscribers on the dead one's home partition. */
  sharing: number;
  phases: PhaseFigures[];
  /** Of the dead subscriber, once it was back. */
  ledger: RunLedger;
  states: Record<string, number>;
  /** Requests to it while it was dead. */
  unanswered: number;
  /** From its return to its first and its last delivery. */
  firstAfterSeconds: number;
  allAfterSeconds: number;
  objections: string[];
}

interface Place {
  plan: BacklogPlan;
  namespace: string;
  publishKey: string;
  sharing: ReadonlySet<number>;
}

/** The dead subscriber's own tools: neither publishing to it nor its answers may disturb the measurement. */
export interface FloodTools {
  generator: Generator;
  receiver: Receiving;
  listening: Receiver;
}

const DEAD = 'dead';
const FLOOD_TYPE = 'bench.backlog';
const STEADY_RATE = 50;
const OTHERS = 7;
const BEFORE_SECONDS = 30;
/** An open breaker probes every five minutes at the latest, and a record waits for its step beside that. */
const PATIENCE_MS = 10 * 60_000;

export function backlogPlan(options: BenchOptions): BacklogPlan {
  return {
    backlog: options.backlog,
    floodRate: options.rate ?? 1_000,
    steadyRate: STEADY_RATE,
    others: OTHERS,
    beforeSeconds: BEFORE_SECONDS,
    standingSeconds: options.durationSeconds ?? 120,
  };
}

/** A subscriber dies, its deliveries pile up, and it comes back. @throws BenchError */
export async function measureBacklog(
  bench: Bench & { target: Target },
  watch: Watch,
  flood: FloodTools,
): Promise<BacklogReport> {
  const { options, target, receiver } = bench;
  const plan = backlogPlan(options);
  const delivery = { concurrency: options.concurrency };
  const workplace = await createWorkplace(target, {
    namespace: `bench-backlog-${Date.now().toString(36)}`,
    subscriptions: [
      ...Array.from({ length: plan.others }, (_, n) => ({
        name: `other-${n}`,
        eventType: EVENT_TYPE,
        url: `${receiver.origin}${receiver.paths}${n}`,
        delivery,
      })),
      {
        name: DEAD,
        eventType: FLOOD_TYPE,
        url: `${flood.listening.origin}${flood.listening.paths}0`,
        delivery,
      },
    ],
  });
  const meter = new RetryMeter(watch);
  try {
    const sharing = sharingWithDead(workplace.homes, plan.others);
    if (sharing.size === 0) {
      throw new BenchError(
        'no_target',
        'The dead subscriber would have a home partition of its own. Use --isolated, or a stack with fewer partitions.',
      );
    }
    return await run(bench, meter, flood, { plan, ...workplace, sharing });
  } finally {
    await meter.stop();
    await workplace.remove();
  }
}

async function run(
  { options, target, tools, say }: Bench & { target: Target },
  meter: RetryMeter,
  flood: FloodTools,
  { plan, namespace, publishKey, sharing }: Place,
): Promise<BacklogReport> {
  const course = {
    origin: target.ingestUrl,
    path: '/v1/events',
    authorization: `Bearer ${publishKey}`,
    endpoints: plan.others,
  };
  const phases: PhaseFigures[] = [];
  const found: string[] = [];
  let back = 0;
  const measure = async (phase: Phase, goesOn: () => boolean): Promise<void> => {
    const startedAt = monotonicMs();
    const figures = (near: number[], apart: number[]): PhaseFigures => ({
      phase,
      seconds: (monotonicMs() - startedAt) / 1000,
      retries: meter.between(startedAt, monotonicMs()),
      sharingMs: distributionOf(near),
      apartMs: distributionOf(apart),
    });
    const steady = await steadyLoad(tools, course, options, {
      rate: plan.steadyRate,
      sharing,
      goesOn,
      onPiece: (piece) => say(`  ${progress(figures(piece.sharing, piece.apart), back)}`),
    });
    phases.push(figures(steady.sharing, steady.apart));
    found.push(...steady.objections.map((why) => `${phase}, to the others: ${why}`));
  };

  const from = new Date();
  const expectation = await expectLoad(flood.receiver, plan.backlog, 1);
  await flood.receiver.ask({ type: 'silence', endpoints: [0] }, 'silenced');
  say('Warm-up …');
  const warmUp = { rate: plan.steadyRate, sharing, goesOn: untilPassed(options.warmUpSeconds) };
  await steadyLoad(tools, course, options, { ...warmUp, onPiece: () => undefined });
  say(`Before: ${plan.steadyRate} events/s to ${plan.others} others …`);
  await measure('before', untilPassed(plan.beforeSeconds));

  say(`Filling: ${plan.backlog} deliveries to a subscriber that does not answer, ${plan.floodRate}/s …`);
  const filling = watched(
    sendLoad(flood.generator, course, options, {
      expectation,
      rate: plan.floodRate,
      eventType: FLOOD_TYPE,
    }),
  );
  await measure('filling', () => filling.isPending());
  const record = await filling.result;

  say(`Standing for ${plan.standingSeconds} s …`);
  await measure('standing', untilPassed(plan.standingSeconds));

  const { unanswered } = await flood.receiver.ask({ type: 'progress' }, 'progress');
  await flood.receiver.ask({ type: 'silence', endpoints: [] }, 'silenced');
  const backAt = monotonicMs();
  say('Draining: the subscriber answers again …');
  const onProgress = (distinct: number): void => void (back = distinct);
  const draining = watched(
    untilArrived({ receiver: flood.receiver, signal: tools.signal }, expectation, record, {
      patienceMs: PATIENCE_MS,
      onProgress,
    }),
  );
  await measure('draining', () => draining.isPending());
  const { arrivals, ledger } = await draining.result;

  const owed = acceptedOf(record);
  const states = await untilTallied(
    { target, namespace },
    { from, subscriptions: [DEAD] },
    ({ delivered = 0 }) => delivered >= owed,
    tools.signal,
  );
  const delivered = states['delivered'] ?? 0;
  const arrivedAt = arrivals.arrivedAt.filter((at) => at > 0).sort();
  return {
    plan,
    sharing: sharing.size,
    phases,
    ledger,
    states,
    unanswered,
    firstAfterSeconds: ((arrivedAt[0] ?? Number.NaN) - backAt) / 1000,
    allAfterSeconds: ((arrivedAt.at(-1) ?? Number.NaN) - backAt) / 1000,
    objections: [
      ...found,
      ...objections(ledger),
      ...(delivered === owed ? [] : [`audit lists ${delivered} of ${owed} deliveries as delivered`]),
    ],
  };
}

function progress({ phase, seconds, retries, sharingMs, apartMs }: PhaseFigures, back: number): string {
  return (
    `${phase} ${seconds.toFixed(0)} s: ${retries.each.at(-1)?.toFixed(0) ?? '–'} retry records/s; ` +
    `p99 ${sharingMs.p99.toFixed(1)} ms beside the dead one, ${apartMs.p99.toFixed(1)} ms elsewhere` +
    (phase === 'draining' ? `; ${back} arrived` : '')
  );
}

function untilPassed(seconds: number): () => boolean {
  const end = monotonicMs() + seconds * 1000;
  return () => monotonicMs() < end;
}

/** A promise that can be asked whether it is settled. Its failure is reported to who awaits the result. */
function watched<T>(result: Promise<T>): { result: Promise<T>; isPending: () => boolean } {
  let isPending = true;
  const settle = (): void => void (isPending = false);
  result.then(settle, settle);
  return { result, isPending: () => isPending };
}
