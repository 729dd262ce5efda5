import { setTimeout as sleep } from 'node:timers/promises';
import { countDelivered, isRecorded, tallyDeliveries } from './audited.ts';
import { monotonicMs } from './clock.ts';
import { reconcile, type RunLedger } from './ledger.ts';
import type { Arrivals, Expectation, SendRecord } from './messages.ts';
import { eventIdOf, type Course, type Tools } from './sending.ts';
import type { Target } from './target.ts';

/** What has not moved for so long will not. */
const PATIENCE_MS = 30_000;
const POLL_MS = 50;
/** The last events, and some of all: records of one partition are recorded in order, those of different ones are not. */
const LAST_ASKED = 24;
const SPREAD_ASKED = 8;

/** Until every accepted event has arrived at every endpoint that is expected to get it, or nothing moves any more. */
export async function untilArrived(
  { receiver, signal }: Pick<Tools, 'receiver' | 'signal'>,
  expectation: Expectation,
  record: SendRecord,
  {
    patienceMs = PATIENCE_MS,
    onProgress,
  }: { patienceMs?: number; onProgress?: (distinct: number) => void } = {},
): Promise<{ arrivals: Arrivals; ledger: RunLedger }> {
  let seen = -1;
  let movedAt = monotonicMs();
  for (;;) {
    const { distinct } = await receiver.ask({ type: 'progress' }, 'progress');
    if (distinct !== seen) {
      onProgress?.(distinct);
      seen = distinct;
      movedAt = monotonicMs();
    }
    const isHopeless = monotonicMs() - movedAt > patienceMs;
    if (isHopeless || distinct >= expectation.endpoints * acceptedOf(record)) {
      const { arrivals } = await receiver.ask({ type: 'collect' }, 'collected');
      const ledger = reconcile(expectation, record, arrivals);
      if (isHopeless || ledger.lost === 0) return { arrivals, ledger };
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

export function acceptedOf({ status }: SendRecord): number {
  return status.reduce((sum, each) => sum + Number(each >= 200 && each < 300), 0);
}

/** Asks for events at the end and all over the load until each is recorded as delivered. */
export async function untilRecorded(
  { audited, endpoints }: Course,
  { firstEvent, events }: Expectation,
  { status }: SendRecord,
  signal: AbortSignal,
): Promise<{ at: number } | undefined> {
  if (!audited) return undefined;
  const asked = new Set<number>();
  for (let event = events - 1; event >= 0 && asked.size < LAST_ASKED; event--) {
    if (status[event] === 202) asked.add(event);
  }
  for (let part = 0; part < SPREAD_ASKED; part++) {
    const event = Math.floor((part * events) / SPREAD_ASKED);
    if (status[event] === 202) asked.add(event);
  }
  let movedAt = monotonicMs();
  while (asked.size > 0) {
    for (const event of asked) {
      const id = eventIdOf(firstEvent + event);
      if (!(await isRecorded(audited.target, audited.namespace, id, endpoints))) break;
      asked.delete(event);
      movedAt = monotonicMs();
    }
    if (asked.size === 0) break;
    if (monotonicMs() - movedAt > PATIENCE_MS) return { at: Number.NaN };
    await sleep(POLL_MS, undefined, { signal });
  }
  return { at: monotonicMs() };
}

/** @returns `sinceAt`: when the count began that was the first complete one, unless the very first one was */
export async function untilListed(
  { target, namespace }: { target: Target; namespace: string },
  from: Date,
  owed: number,
  signal: AbortSignal,
): Promise<{ recorded: number; sinceAt?: number }> {
  let most = 0;
  let movedAt = monotonicMs();
  for (let counts = 0; ; counts++) {
    const sinceAt = monotonicMs();
    const recorded = await countDelivered(target, namespace, from);
    if (recorded >= owed) return counts === 0 ? { recorded } : { recorded, sinceAt };
    if (recorded > most) movedAt = monotonicMs();
    most = Math.max(most, recorded);
    if (monotonicMs() - movedAt > PATIENCE_MS) return { recorded };
    await sleep(POLL_MS, undefined, { signal });
  }
}

/**
 * Until audit lists the deliveries of some subscriptions as they shall be, or the list does not change any more.
 * @returns how many there are, by state
 */
export async function untilTallied(
  { target, namespace }: { target: Target; namespace: string },
  { from, subscriptions }: { from: Date; subscriptions: readonly string[] },
  isComplete: (states: Readonly<Record<string, number>>) => boolean,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  let before = '';
  let movedAt = monotonicMs();
  for (;;) {
    const states: Record<string, number> = {};
    for (const subscription of subscriptions) {
      const own = await tallyDeliveries(target, namespace, { from, subscription });
      for (const [state, count] of Object.entries(own)) states[state] = (states[state] ?? 0) + count;
    }
    if (isComplete(states)) return states;
    const now = JSON.stringify(states);
    if (now !== before) movedAt = monotonicMs();
    before = now;
    if (monotonicMs() - movedAt > PATIENCE_MS) return states;
    await sleep(POLL_MS, undefined, { signal });
  }
}
