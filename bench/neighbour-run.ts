import { setTimeout as sleep } from 'node:timers/promises';
import { createWorkplace } from './api.ts';
import { monotonicMs } from './clock.ts';
import { BenchError } from './errors.ts';
import { acceptedOf, untilArrived, untilListed, untilTallied } from './following.ts';
import { objections, type RunLedger } from './ledger.ts';
import {
  deadObjections,
  neighbourFigures,
  sendingFigures,
  sharingWithDead,
  type NeighbourFigures,
} from './neighbour-figures.ts';
import type { WatchReply, WatchRequest } from './messages.ts';
import { EVENT_TYPE } from './payload.ts';
import type { Bench } from './scenario.ts';
import { expectLoad, sendLoad } from './sending.ts';
import type { Distribution } from './statistics.ts';
import type { Target } from './target.ts';
import type { Worker } from './worker.ts';

export interface NeighbourPlan {
  endpoints: number;
  /** The last ones of them. */
  dead: number;
  /** Events per second. */
  rate: number;
  warmUpSeconds: number;
  seconds: number;
  /** Every subscription has to have a home partition of its own. */
  isExclusive: boolean;
}

export interface NeighbourRun {
  figures: NeighbourFigures;
  /** Due time to the 202. */
  acceptanceMs: Distribution;
  generatorDelayMs: Distribution;
  /** Of the subscribers that answered. */
  ledger: RunLedger;
  /** Deliveries to those that answered, as audit lists them. */
  recorded: number;
  /** Of the dead ones, by state. */
  deadStates: Record<string, number>;
  /** Requests to the dead ones. */
  unanswered: number;
  /** Subscribers that answered, and shared a home partition with a dead one. */
  sharing: number;
  objections: string[];
}

export type Watch = Worker<WatchRequest, WatchReply>;

const PROGRESS_EVERY_MS = 5_000;
const LEFTOVERS_PATIENCE_MS = 60_000;
const POLL_MS = 250;

/** One load to fresh subscriptions, which are gone afterwards. @param isDead whether the dead ones are dead this time */
export async function runNeighbours(
  bench: Bench & { target: Target },
  watch: Watch,
  plan: NeighbourPlan,
  isDead: boolean,
): Promise<NeighbourRun> {
  const { options, target, receiver } = bench;
  const workplace = await createWorkplace(target, {
    namespace: `bench-neighbours-${Date.now().toString(36)}`,
    subscriptions: Array.from({ length: plan.endpoints }, (_, n) => ({
      name: `endpoint-${n}`,
      eventType: EVENT_TYPE,
      url: `${receiver.origin}${receiver.paths}${n}`,
      delivery: { concurrency: options.concurrency },
    })),
  });
  try {
    if (plan.isExclusive && new Set(workplace.homes).size < plan.endpoints) {
      throw new BenchError(
        'no_target',
        `The ${plan.endpoints} subscriptions share home partitions: the scenario needs as many free ones. Use --isolated.`,
      );
    }
    return await load(bench, plan, isDead, workplace);
  } finally {
    await bench.tools.receiver.ask({ type: 'silence', endpoints: [] }, 'silenced').catch(() => undefined);
    await workplace.remove();
    await untilGone(watch, bench);
  }
}

async function load(
  bench: Bench & { target: Target },
  plan: NeighbourPlan,
  isDead: boolean,
  { namespace, publishKey, homes }: { namespace: string; publishKey: string; homes: number[] },
): Promise<NeighbourRun> {
  const { options, target, tools } = bench;
  const { endpoints, rate, warmUpSeconds, seconds } = plan;
  const healthy = endpoints - plan.dead;
  const answering = isDead ? healthy : endpoints;
  const dead = Array.from({ length: endpoints - answering }, (_, n) => answering + n);
  const from = new Date();
  const expectation = await expectLoad(tools.receiver, rate * (warmUpSeconds + seconds), answering);
  await tools.receiver.ask({ type: 'silence', endpoints: dead }, 'silenced');

  const course = { origin: target.ingestUrl, path: '/v1/events', authorization: `Bearer ${publishKey}` };
  const sending = sendLoad(tools.generator, course, options, { expectation, rate });
  await tellProgress(bench, sending, answering);
  const record = await sending;
  const { arrivals, ledger } = await untilArrived(tools, expectation, record);
  const { unanswered } = await tools.receiver.ask({ type: 'progress' }, 'progress');

  const { recorded } = await untilListed({ target, namespace }, from, ledger.owed, tools.signal);
  const owedToDead = acceptedOf(record) * dead.length;
  const deadStates = await untilTallied(
    { target, namespace },
    { from, subscriptions: dead.map((n) => `endpoint-${n}`) },
    (states) => Object.values(states).reduce((sum, count) => sum + count, 0) >= owedToDead,
    tools.signal,
  );
  const sharing = sharingWithDead(homes, healthy);
  const fromEvent = rate * warmUpSeconds;
  return {
    figures: neighbourFigures(expectation, record, arrivals, { healthy, sharing, fromEvent }),
    ...sendingFigures(record, fromEvent),
    ledger,
    recorded,
    deadStates,
    unanswered,
    sharing: sharing.size,
    objections: [
      ...objections(ledger),
      ...(recorded < ledger.owed
        ? [`audit lists ${recorded} of ${ledger.owed} deliveries as delivered`]
        : []),
      ...deadObjections(owedToDead, deadStates),
    ],
  };
}

async function tellProgress(
  { tools, say }: Bench,
  sending: Promise<unknown>,
  answering: number,
): Promise<void> {
  const startedAt = monotonicMs();
  const ended = sending.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([ended, sleep(PROGRESS_EVERY_MS, false, { signal: tools.signal })]))) {
    const { distinct, unanswered } = await tools.receiver.ask({ type: 'progress' }, 'progress');
    const seconds = ((monotonicMs() - startedAt) / 1000).toFixed(0);
    say(`  ${seconds} s: ${distinct} delivered to ${answering}, ${unanswered} requests unanswered`);
  }
}

/** What was meant for subscriptions that are gone must not be in the way of the next run. */
async function untilGone(watch: Watch, { say, tools }: Bench): Promise<void> {
  const deadline = monotonicMs() + LEFTOVERS_PATIENCE_MS;
  for (;;) {
    if (tools.signal.aborted) return;
    const { records } = await watch.ask({ type: 'backlog' }, 'backlog');
    if (records === 0) return;
    if (monotonicMs() > deadline) {
      say(`  ${records} deliveries of the last run are still there: they may slow the next one.`);
      return;
    }
    await sleep(POLL_MS);
  }
}
