import {
  deliveryIdOf,
  truncateUtf8,
  type AttemptOutcome,
  type DuplicateOutcome,
  type EventRecord,
  type HeldCode,
  type Outcome,
  type RoutedOutcome,
} from '@quittance/contracts';
import { foldKeyUsed, foldRejected } from './admission-fold.js';
import { earlier, mergeDeliveries, newer } from './merges.js';
import {
  NEWS,
  eventKey,
  type AttemptRow,
  type DeliveryRow,
  type EventRow,
  type DuplicateRow,
  type LedgerRows,
} from './rows.js';
import { reason, storable, storableOrNull } from './text.js';

const MAX_RESPONSE_BYTES = 8192;
const OFFSET_BITS = 48n;
/**
 * A replay is timed by the router, the failure that follows it by a dispatcher. With a clock that is ahead the
 * first would outrank the second, and the delivery look open for ever; so a replay counts as this much older.
 */
export const CLOCK_SKEW_MS = 5_000;

/** Why nothing was sent to a subscription that wants no more events, or whose attempts failed for days. */
export const SUBSCRIPTION_DISABLED = 'subscription_disabled';

/** For a person: why a delivery waits, and for what. */
const HELD_REASONS: Readonly<Record<HeldCode, string>> = {
  paused: 'The subscription is paused. The delivery is made when it is resumed.',
  unreachable: 'The subscriber has not answered for too long. The delivery is made when it answers again.',
  halted:
    'An earlier delivery could not be made, and the order is strict. This one is made after a resumption.',
};

/**
 * What the ledger knows, from records that come in any order and any number of times. Every merge below is
 * commutative, associative and idempotent (a join), and the writer's SQL does the same merge against what is
 * stored: so neither the order of records, nor their repetition, nor where a flush ends changes a row.
 *
 * Times come from the clocks of different machines. Therefore that a delivery was routed never outranks an
 * attempt, whatever its time says, and that it was replayed only an attempt that is clearly older.
 */
export function emptyRows(): LedgerRows {
  return {
    events: new Map(),
    deliveries: new Map(),
    attempts: new Map(),
    duplicates: new Map(),
    rejections: new Map(),
    keyUsage: new Map(),
  };
}

/** Where a record stands in its topic, as one number: the offset needs 48 bits for 8,900 years at 1,000/s. */
export function logPosition(partition: number, offset: bigint): bigint {
  return (BigInt(partition) << OFFSET_BITS) | offset;
}

/** A record of `events.v1`. A replay says nothing new about the event: what comes of it is in the outcomes. */
export function foldEvent(rows: LedgerRows, record: EventRecord, position: bigint): void {
  if (record.replay) return;
  const { attributes } = record;
  const row = eventRow(rows, record.namespace, attributes.id, attributes.source);
  row.acceptance = earlier(row.acceptance, {
    acceptedAt: record.acceptedAt,
    position,
    revision: record.revision,
    type: storable(attributes.type),
    subject: storableOrNull(attributes.subject),
    time: storableOrNull(attributes.time),
    dataSchema: storableOrNull(attributes.dataschema),
    contentType: storableOrNull(attributes.datacontenttype),
    extensions: extensionsJson(attributes.extensions),
    traceparent: storableOrNull(record.trace?.traceparent),
    data: record.data,
    testSubscriptionUid: storableOrNull(record.test?.subscriptionUid),
  });
}

/** A record of `outcomes.v1`. */
export function foldOutcome(rows: LedgerRows, outcome: Outcome, position: bigint): void {
  switch (outcome.type) {
    case 'routed':
      return foldRouted(rows, outcome);
    case 'duplicate':
      return foldDuplicate(rows, outcome, position);
    case 'attempted':
    case 'delivered':
    case 'dead':
    case 'held':
      return foldAttempt(rows, outcome);
    case 'rejected':
      return foldRejected(rows, outcome);
    case 'key-used':
      return foldKeyUsed(rows, outcome);
  }
}

function foldRouted(rows: LedgerRows, outcome: RoutedOutcome): void {
  const isReplay = outcome.replay === true;
  for (const match of outcome.matched) {
    const row = deliveryRow(match.deliveryId, match, outcome);
    if (match.held !== undefined) hold(row, outcome.at, match.held);
    // The first routing only says that there is a delivery; a replay reopens one that was given up, or held.
    else if (isReplay) row.news = { at: outcome.at - CLOCK_SKEW_MS, kind: NEWS.replayed };
    addDelivery(rows, row);
  }
  if (!isReplay) {
    const event = eventRow(rows, outcome.namespace, outcome.eventId, outcome.eventSource);
    event.routing = newer(event.routing, {
      at: outcome.at,
      revision: outcome.revision,
      skipped: skippedJson(outcome),
      skippedCount: outcome.skippedCount,
    });
    return;
  }
  // A replay of a delivery that found its subscription deleted, or disabled: nothing will follow, so the delivery must
  // not stay open.
  for (const skip of outcome.skipped) {
    // The subscription's present patterns and filter were asked whether there is a delivery, and there is none. A disabled
    // one wanted it: the next recovery has to find it.
    if (outcome.filtered === true && skip.code !== SUBSCRIPTION_DISABLED) continue;
    const identity = { namespace: outcome.namespace, source: outcome.eventSource, id: outcome.eventId };
    const row = deliveryRow(deliveryIdOf(identity, skip.subscriptionUid), skip, outcome);
    row.news = { at: outcome.at, kind: NEWS.dead };
    row.errorCode = storable(skip.code);
    row.errorMessage = reason(skip.reason);
    addDelivery(rows, row);
  }
}

function hold(row: DeliveryRow, at: number, code: HeldCode): void {
  row.news = { at, kind: NEWS.held };
  row.errorCode = code;
  row.errorMessage = HELD_REASONS[code];
}

function foldDuplicate(rows: LedgerRows, outcome: DuplicateOutcome, position: bigint): void {
  const row: DuplicateRow = {
    namespace: storable(outcome.namespace),
    eventId: storable(outcome.eventId),
    eventSource: storable(outcome.eventSource),
    // The router may report the same duplicate again after a crash, in another record: its trace is the same.
    mark: storable(outcome.traceId ?? `record-${position}`),
    at: outcome.at,
    conflict: outcome.conflict,
  };
  const key = `${eventKey(row.namespace, row.eventId, row.eventSource)}\0${row.mark}`;
  const known = rows.duplicates.get(key);
  if (known) {
    row.at = Math.min(row.at, known.at);
    row.conflict ||= known.conflict;
  }
  rows.duplicates.set(key, row);
}

function foldAttempt(rows: LedgerRows, outcome: AttemptOutcome): void {
  const row = deliveryRow(outcome.deliveryId, outcome, outcome);
  if (outcome.type === 'delivered') {
    row.deliveredAt = outcome.at;
  } else if (outcome.type === 'attempted') {
    row.news = { at: outcome.at, kind: NEWS.attempted };
    row.nextAttemptAt = outcome.nextAt;
  } else if (outcome.type === 'held') {
    hold(row, outcome.at, outcome.code);
  } else {
    row.news = { at: outcome.at, kind: NEWS.dead };
    row.errorCode = storable(outcome.error.code);
    row.errorMessage = reason(outcome.error.message);
  }
  addDelivery(rows, row);
  if (outcome.attemptId === undefined) return;
  const attempt: AttemptRow = {
    deliveryId: row.id,
    attemptId: storable(outcome.attemptId),
    number: outcome.attempt ?? 0,
    at: outcome.at,
    status: outcome.status ?? null,
    durationMs: outcome.durationMs === undefined ? null : Math.round(outcome.durationMs),
    errorCode: storableOrNull(outcome.error?.code),
    errorMessage: outcome.error ? reason(outcome.error.message) : null,
    response:
      outcome.response === undefined ? null : truncateUtf8(storable(outcome.response), MAX_RESPONSE_BYTES),
  };
  rows.attempts.set(`${attempt.deliveryId}\0${attempt.attemptId}`, attempt);
}

function eventRow(rows: LedgerRows, namespace: string, id: string, source: string): EventRow {
  const row: EventRow = {
    namespace: storable(namespace),
    id: storable(id),
    source: storable(source),
    acceptance: null,
    routing: null,
  };
  const key = eventKey(row.namespace, row.id, row.source);
  const known = rows.events.get(key);
  if (known) return known;
  rows.events.set(key, row);
  return row;
}

function deliveryRow(
  id: string,
  to: { subscription: string; subscriptionUid: string },
  event: { namespace: string; eventId: string; eventSource: string; at: number },
): DeliveryRow {
  return {
    id: storable(id),
    namespace: storable(event.namespace),
    eventId: storable(event.eventId),
    eventSource: storable(event.eventSource),
    subscription: storable(to.subscription),
    subscriptionUid: storable(to.subscriptionUid),
    createdAt: event.at,
    deliveredAt: null,
    news: { at: 0, kind: NEWS.routed },
    nextAttemptAt: null,
    errorCode: null,
    errorMessage: null,
  };
}

function addDelivery(rows: LedgerRows, row: DeliveryRow): void {
  const known = rows.deliveries.get(row.id);
  rows.deliveries.set(row.id, known ? mergeDeliveries(known, row) : row);
}

function extensionsJson(extensions: Record<string, string>): string | null {
  const names = Object.keys(extensions);
  if (names.length === 0) return null;
  const clean = names.map((name) => [storable(name), storable(extensions[name]!)] as const);
  return JSON.stringify(Object.fromEntries(clean));
}

function skippedJson(outcome: RoutedOutcome): string | null {
  if (outcome.skipped.length === 0) return null;
  const clean = outcome.skipped.map((skip) => ({
    subscription: storable(skip.subscription),
    subscriptionUid: storable(skip.subscriptionUid),
    code: storable(skip.code),
    reason: reason(skip.reason),
  }));
  return JSON.stringify(clean);
}
