import { isAccepted } from './ledger.ts';
import type { Arrivals, Expectation, SendRecord } from './messages.ts';
import { distributionOf, median, type Distribution } from './statistics.ts';

/** Milliseconds from an event's due time to its arrival. */
export interface NeighbourFigures {
  /** Of all subscribers that answer, in both kinds of run the same ones. */
  latencyMs: Distribution;
  /** The highest p99 that a single one of them saw. */
  worstP99Ms: number;
  /** Of those that share a home partition with a dead one; nobody: all are NaN. */
  sharingMs: Distribution;
}

/**
 * What the first `healthy` endpoints saw of the events from `fromEvent` on.
 * @param sharing those that share a home partition with a dead one
 */
export function neighbourFigures(
  { events }: Expectation,
  { dueAt }: Pick<SendRecord, 'dueAt'>,
  { arrivedAt }: Pick<Arrivals, 'arrivedAt'>,
  subscribers: { healthy: number; sharing: ReadonlySet<number>; fromEvent: number },
): NeighbourFigures {
  const all: number[] = [];
  const ofSharing: number[] = [];
  let worstP99Ms = Number.NaN;
  for (let endpoint = 0; endpoint < subscribers.healthy; endpoint++) {
    const own: number[] = [];
    for (let event = subscribers.fromEvent; event < events; event++) {
      const at = arrivedAt[endpoint * events + event] ?? 0;
      if (at > 0) own.push(at - (dueAt[event] ?? Number.NaN));
    }
    const { p99 } = distributionOf(own);
    if (!(p99 <= worstP99Ms)) worstP99Ms = p99;
    for (const latency of own) all.push(latency);
    if (subscribers.sharing.has(endpoint)) for (const latency of own) ofSharing.push(latency);
  }
  return { latencyMs: distributionOf(all), worstP99Ms, sharingMs: distributionOf(ofSharing) };
}

/** How long ingest took, and how late the generator itself was, for the accepted events from `fromEvent` on. */
export function sendingFigures(
  { dueAt, sentAt, answeredAt, status }: SendRecord,
  fromEvent: number,
): { acceptanceMs: Distribution; generatorDelayMs: Distribution } {
  const accepted = Array.from(dueAt.keys()).filter(
    (event) => event >= fromEvent && isAccepted(status[event]),
  );
  const late = (times: Float64Array): Distribution =>
    distributionOf(accepted.map((event) => (times[event] ?? Number.NaN) - (dueAt[event] ?? Number.NaN)));
  return { acceptanceMs: late(answeredAt), generatorDelayMs: late(sentAt) };
}

/** Of each round, how many times longer the p99 was with dead neighbours than without; and the median of these. */
export function ratiosOf(rounds: readonly { without: NeighbourFigures; with: NeighbourFigures }[]): {
  each: number[];
  median: number;
} {
  const each = rounds.map((round) => round.with.latencyMs.p99 / round.without.latencyMs.p99);
  return { each, median: median(each) };
}

/** The endpoints below `healthy` whose home is that of one from `healthy` on. */
export function sharingWithDead(homes: readonly number[], healthy: number): Set<number> {
  const deadHomes = new Set(homes.slice(healthy));
  return new Set([...homes.keys()].filter((n) => n < healthy && deadHomes.has(homes[n] ?? -1)));
}

/** What is still going to be delivered, or can be: nothing of it is lost. */
const KEPT = ['pending', 'held'];

/** Why the deliveries to subscribers that never answered are not all accounted for; empty when they are. */
export function deadObjections(owed: number, states: Readonly<Record<string, number>>): string[] {
  const kept = KEPT.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  const others = Object.entries(states).filter(([state]) => !KEPT.includes(state));
  return [
    ...(kept === owed
      ? []
      : [`${owed} deliveries are owed to the dead, and audit lists ${kept} as pending or held`]),
    ...others.map(([state, count]) => `audit lists ${count} deliveries to the dead as ${state}`),
  ];
}
