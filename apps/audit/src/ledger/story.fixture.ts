import {
  deliveryIdOf,
  type EventRecord,
  type HeldCode,
  type IncomingRecord,
  type Outcome,
  type RejectedOutcome,
  type RoutedOutcome,
} from '@quittance/contracts';
import type { LedgerWriter } from './ledger-writer.js';
import { emptyRows, foldEvent, foldOutcome } from './fold.js';
import type { LedgerRows } from './rows.js';

/** A record of either topic with its place, as the ledger gets it. */
export type Fact =
  | { kind: 'event'; record: EventRecord; position: bigint }
  | { kind: 'outcome'; outcome: Outcome; position: bigint };

export const NAMESPACE = 'shop';
export const SOURCE = '/shop/checkout';
export const T0 = Date.UTC(2026, 0, 31, 12);

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

let position = 0n;

export function uidOf(subscription: string): string {
  return `uid-${subscription}`;
}

export function deliveryIdFor(event: string, subscription: string): string {
  return deliveryIdOf({ namespace: NAMESPACE, source: SOURCE, id: event }, uidOf(subscription));
}

export function accepted(id: string, over: Partial<EventRecord> = {}): Fact {
  const record: EventRecord = {
    namespace: NAMESPACE,
    attributes: {
      id,
      source: SOURCE,
      type: 'order.completed',
      datacontenttype: 'application/json',
      extensions: { partitionkey: 'customer-7' },
    },
    data: Buffer.from('{"total":120.5}'),
    revision: 3,
    acceptedAt: T0,
    trace: { traceparent: TRACEPARENT },
    ...over,
  };
  return { kind: 'event', record, position: ++position };
}

/** Sent to try the subscription. */
export function sample(id: string, to: string, over: Partial<EventRecord> = {}): Fact {
  return accepted(id, { test: { subscription: to, subscriptionUid: uidOf(to) }, ...over });
}

export function routed(id: string, to: string[], over: Partial<RoutedOutcome> = {}): Fact {
  return outcome({
    type: 'routed',
    ...about(id, T0 + 2),
    revision: 3,
    matched: to.map((subscription) => ({
      deliveryId: deliveryIdFor(id, subscription),
      subscription,
      subscriptionUid: uidOf(subscription),
    })),
    skipped: [],
    skippedCount: 0,
    ...over,
  });
}

export function duplicate(id: string, traceId: string, conflict: boolean): Fact {
  return outcome({ type: 'duplicate', ...about(id, T0 + 9), traceId, conflict });
}

export function attemptFailed(id: string, to: string, number: number, at: number, nextAt: number): Fact {
  return outcome({ type: 'attempted', ...attempt(id, to, number, at), ...failed(number), nextAt });
}

export function delivered(id: string, to: string, number: number, at: number): Fact {
  const answer = { status: 200, error: null, response: 'thanks' };
  return outcome({ type: 'delivered', ...attempt(id, to, number, at), ...answer });
}

export function gaveUp(id: string, to: string, number: number, at: number): Fact {
  return outcome({ type: 'dead', ...attempt(id, to, number, at), ...failed(number) });
}

/** The subscription is suspended: the delivery waits in the ledger. */
export function held(id: string, to: string, at: number, code: HeldCode = 'unreachable'): Fact {
  const whose = { deliveryId: deliveryIdFor(id, to), subscription: to, subscriptionUid: uidOf(to) };
  return outcome({ type: 'held', ...about(id, at), ...whose, code });
}

export function heldAfterAttempt(id: string, to: string, number: number, at: number): Fact {
  return outcome({ type: 'held', ...attempt(id, to, number, at), ...failed(number), code: 'unreachable' });
}

/** For `routed`: the router did not write this one. */
export function heldMatch(id: string, to: string, code: HeldCode): RoutedOutcome['matched'][number] {
  return { deliveryId: deliveryIdFor(id, to), subscription: to, subscriptionUid: uidOf(to), held: code };
}

/** Given up before any request was made. */
export function unsendable(id: string, to: string, at: number): Fact {
  const whose = { deliveryId: deliveryIdFor(id, to), subscription: to, subscriptionUid: uidOf(to) };
  const error = { code: 'transform_failed', message: 'The transform \0 failed.' };
  return outcome({ type: 'dead', ...about(id, at), ...whose, error });
}

/** What waited in Kafka when its subscription was disabled. */
export function disabled(id: string, to: string, at: number): Fact {
  const whose = { deliveryId: deliveryIdFor(id, to), subscription: to, subscriptionUid: uidOf(to) };
  const error = { code: 'subscription_disabled', message: 'The subscription is disabled.' };
  return outcome({ type: 'dead', ...about(id, at), ...whose, error });
}

/** The n-th refusal, n seconds after `T0`. */
export function rejected(n: number, over: Partial<RejectedOutcome> = {}): Fact {
  return outcome({
    type: 'rejected',
    id: `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    at: T0 + n * 1_000,
    namespace: NAMESPACE,
    source: 'payments',
    method: 'POST',
    path: '/in/shop/payments',
    status: 401,
    code: 'signature_invalid',
    reason: 'The signature does not \0 fit.',
    address: '203.0.113.7',
    bodyBytes: 14,
    body: Buffer.from('{"total":12.5}').toString('base64'),
    suppressed: 0,
    ...over,
  });
}

/** No source, no key, and the body was left out. */
export function rejectedWithoutBody(n: number): Fact {
  const fact = rejected(n, { bodyBytes: 70_000 });
  if (fact.kind === 'outcome' && fact.outcome.type === 'rejected') {
    delete fact.outcome.body;
    delete fact.outcome.source;
  }
  return fact;
}

export function keyUsed(credentialId: string, at: number, name = 'checkout'): Fact {
  return outcome({ type: 'key-used', at, namespace: NAMESPACE, name, uid: `uid-${name}`, credentialId });
}

export function outcome(value: Outcome): Fact {
  return { kind: 'outcome', outcome: value, position: ++position };
}

function about(id: string, at: number) {
  return { at, namespace: NAMESPACE, eventId: id, eventSource: SOURCE };
}

function attempt(id: string, to: string, number: number, at: number) {
  return {
    ...about(id, at),
    deliveryId: deliveryIdFor(id, to),
    subscription: to,
    subscriptionUid: uidOf(to),
    attemptId: `att-${id}-${to}-${number}-${at}`,
    attempt: number,
    durationMs: 12.4,
  };
}

function failed(number: number) {
  return {
    status: 503,
    error: { code: 'http_5xx', message: `The subscriber answered 503, attempt ${number}.` },
    response: 'try\0later',
  };
}

export function foldAll(facts: readonly Fact[]): LedgerRows {
  const rows = emptyRows();
  for (const fact of facts) {
    if (fact.kind === 'event') foldEvent(rows, fact.record, fact.position);
    else foldOutcome(rows, fact.outcome, fact.position);
  }
  return rows;
}

/** Facts that are handed over together are written in one flush. */
export function writeFacts(writer: LedgerWriter, facts: readonly Fact[]): Promise<void>[] {
  return facts.map((fact) => {
    const from: IncomingRecord = {
      topic: fact.kind,
      partition: 0,
      offset: fact.position,
      timestamp: T0,
      key: null,
      value: null,
      headers: {},
    };
    return fact.kind === 'event'
      ? writer.writeEvent(fact.record, from)
      : writer.writeOutcome(fact.outcome, from);
  });
}
