import { subscriptionKey } from './identity.js';
import {
  headerText,
  requireHeader,
  requireNumberHeader,
  traceContextOf,
  UnreadableRecordError,
  type IncomingRecord,
  type OutgoingRecord,
  type RecordHeaders,
  type TraceContext,
} from './kafka-record.js';

/** One record of `deliveries.v1` and of the retry topics: the body that will be signed, and facts about it. */
export interface DeliveryRecord {
  deliveryId: string;
  namespace: string;
  subscription: string;
  subscriptionUid: string;
  eventId: string;
  eventSource: string;
  eventType: string;
  /** The number of the attempt that is to be made, from 1. It travels with the record, so no rebalance resets it. */
  attempt: number;
  /** How often it was put off without an attempt, because the subscription must not be sent anything. Default 0. */
  shunts?: number;
  /** No attempt before, epoch milliseconds: the subscriber, or its breaker, asked for longer than a step lasts. */
  notBefore?: number;
  /** Sent again from the ledger, by hand or by a replay. */
  replay?: boolean;
  /** The catalogue's revision that the router rendered with. */
  revision: number;
  /** When ingest accepted the event, epoch milliseconds. */
  acceptedAt: number;
  contentType: string;
  /** Further HTTP headers that the body's format asks for (`ce-*`), names in lower case. */
  httpHeaders: Record<string, string>;
  /** Exactly the bytes that will be signed and sent. */
  body: Buffer;
  trace?: TraceContext;
}

/** Why a record was given up, and where it was read. */
export interface DeathCertificate {
  /** Stable code: `attempts_exhausted`, `unreadable_record`, `transform_failed`, … */
  code: string;
  /** For a person; cut to 1 KiB. */
  reason: string;
  /** Epoch milliseconds. */
  at: number;
  topic: string;
  partition: number;
  offset: bigint;
}

const HTTP = 'http-';
const MAX_REASON_BYTES = 1024;

/**
 * @param where the topic, and for `deliveries.v1` the subscription's home partition. On every other topic
 *   the subscription is the key, and its hash decides.
 */
export function encodeDelivery(
  where: { topic: string; partition?: number },
  record: DeliveryRecord,
): OutgoingRecord {
  const headers: RecordHeaders = {
    'content-type': record.contentType,
    'quittance-delivery-id': record.deliveryId,
    'quittance-namespace': record.namespace,
    'quittance-subscription': record.subscription,
    'quittance-subscription-uid': record.subscriptionUid,
    'quittance-event-id': record.eventId,
    'quittance-event-source': record.eventSource,
    'quittance-event-type': record.eventType,
    'quittance-attempt': String(record.attempt),
    'quittance-revision': String(record.revision),
    'quittance-accepted-at': String(record.acceptedAt),
  };
  if (record.shunts) headers['quittance-shunts'] = String(record.shunts);
  if (record.notBefore !== undefined) headers['quittance-not-before'] = String(record.notBefore);
  if (record.replay) headers['quittance-replay'] = 'true';
  for (const name of Object.keys(record.httpHeaders)) headers[HTTP + name] = record.httpHeaders[name]!;
  if (record.trace) {
    headers['traceparent'] = record.trace.traceparent;
    if (record.trace.tracestate !== undefined) headers['tracestate'] = record.trace.tracestate;
  }
  return {
    ...where,
    key: subscriptionKey(record.namespace, record.subscription),
    value: record.body,
    headers,
  };
}

/** @throws UnreadableRecordError when the record is not one that the router wrote */
export function decodeDelivery(record: IncomingRecord): DeliveryRecord {
  const { headers } = record;
  if (record.value === null) throw new UnreadableRecordError('A delivery needs a body; the record has none.');
  const httpHeaders: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (name.startsWith(HTTP)) httpHeaders[name.slice(HTTP.length)] = headerText(headers, name) ?? '';
  }
  const decoded: DeliveryRecord = {
    deliveryId: requireHeader(headers, 'quittance-delivery-id'),
    namespace: requireHeader(headers, 'quittance-namespace'),
    subscription: requireHeader(headers, 'quittance-subscription'),
    subscriptionUid: requireHeader(headers, 'quittance-subscription-uid'),
    eventId: requireHeader(headers, 'quittance-event-id'),
    eventSource: requireHeader(headers, 'quittance-event-source'),
    eventType: requireHeader(headers, 'quittance-event-type'),
    attempt: requireNumberHeader(headers, 'quittance-attempt'),
    revision: requireNumberHeader(headers, 'quittance-revision'),
    acceptedAt: requireNumberHeader(headers, 'quittance-accepted-at'),
    contentType: headerText(headers, 'content-type') ?? 'application/octet-stream',
    httpHeaders,
    body: record.value,
  };
  if (headers['quittance-shunts'] !== undefined) {
    decoded.shunts = requireNumberHeader(headers, 'quittance-shunts');
  }
  if (headers['quittance-not-before'] !== undefined) {
    decoded.notBefore = requireNumberHeader(headers, 'quittance-not-before');
  }
  if (headers['quittance-replay'] !== undefined) decoded.replay = true;
  const trace = traceContextOf(headers);
  if (trace) decoded.trace = trace;
  return decoded;
}

/** Any record as a dead letter: its bytes and headers untouched, the reason beside them. */
export function encodeDeadLetter(
  topic: string,
  record: Pick<IncomingRecord, 'key' | 'value' | 'headers'>,
  death: DeathCertificate,
): OutgoingRecord {
  const headers: RecordHeaders = {};
  const given = record.headers;
  for (const name of Object.keys(given)) {
    const value = given[name];
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined && first !== null) headers[name] = first;
  }
  headers['quittance-dead-code'] = death.code;
  headers['quittance-dead-reason'] = truncateUtf8(death.reason, MAX_REASON_BYTES);
  headers['quittance-dead-at'] = String(death.at);
  headers['quittance-dead-topic'] = death.topic;
  headers['quittance-dead-partition'] = String(death.partition);
  headers['quittance-dead-offset'] = String(death.offset);
  return { topic, key: record.key?.toString() ?? null, value: record.value, headers };
}

/** Cuts to at most `maxBytes` of UTF-8 without leaving half a character. */
export function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
