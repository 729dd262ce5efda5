import type { DeliveriesSummary } from './ledger-summary.js';
import { standingOf, type SubscriptionFacts } from './standing.js';
import {
  learntViewOf,
  rfc3339,
  standingViewOf,
  type BacklogView,
  type SubscriptionWhole,
} from './subscription-status.js';

export interface Asked {
  readonly facts: SubscriptionFacts;
  /** What dispatchers learnt was read. */
  readonly isComplete: boolean;
  /** Of the home partition; `undefined`: Kafka did not tell. */
  readonly records: number | undefined;
  /** `undefined`: audit did not tell. */
  readonly summary: DeliveriesSummary | undefined;
}

/** All that a subscription's `status` shows to who reads it alone. */
export function wholeViewOf(asked: Asked): SubscriptionWhole {
  const { facts, summary } = asked;
  const learnt = learntViewOf(facts);
  return {
    ...standingViewOf(facts),
    ...learnt,
    lastSuccessAt: later(learnt.lastSuccessAt, summary?.lastDeliveredAt ?? null),
    backlog: backlogOf(asked),
    notes: notesOf(asked),
  };
}

function backlogOf({ facts, records, summary }: Asked): BacklogView {
  return {
    records: records ?? null,
    recordsOf: facts.sharedWith === 0 ? 'subscription' : 'partition',
    pending: summary?.pending ?? null,
    held: summary?.held ?? null,
    oldestPendingAt: summary?.oldestPendingAt ?? null,
    oldestHeldAt: summary?.oldestHeldAt ?? null,
    nextAttemptAt: nextAttemptAt(facts, summary?.nextAttemptAt ?? null),
  };
}

/** The ledger knows what was planned when an attempt failed; the dispatcher, what stands in the way since then. */
function nextAttemptAt(facts: SubscriptionFacts, planned: string | null): string | null {
  const { state, reason } = standingOf(facts);
  if (state === 'suspended' && reason === 'unreachable') return planned;
  if (state !== 'active') return null;
  const { head, breaker } = facts.learnt ?? {};
  const next = rfc3339(head?.dueAt) ?? planned;
  return breaker && facts.now < breaker.until ? later(next, rfc3339(breaker.until)) : next;
}

function notesOf({ facts, isComplete, records, summary }: Asked): string[] {
  const notes: string[] = [];
  if (!isComplete) {
    notes.push(
      'What dispatchers learnt of subscriptions has not been read from Kafka yet: it may be suspended or disabled all the same.',
    );
  }
  if (records === undefined) {
    notes.push('Kafka did not tell in time how many records wait in the home partition.');
  } else if (facts.sharedWith > 0) {
    const others =
      facts.sharedWith === 1 ? 'one other subscription' : `${facts.sharedWith} other subscriptions`;
    notes.push(`"backlog.records" counts all records of the home partition, which is shared with ${others}.`);
  }
  const { move } = facts.resource.status;
  if (move && records !== undefined) {
    notes.push(
      `"backlog.records" does not count what still stands in partition ${move.from}, its home before.`,
    );
  }
  if (summary === undefined) {
    notes.push(
      'Audit did not tell in time, so what the ledger knows is missing: pending and held deliveries, and when the next attempt is planned.',
    );
  }
  return notes;
}

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return Date.parse(a) >= Date.parse(b) ? a : b;
}
