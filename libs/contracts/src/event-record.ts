import { eventRecordKey } from './identity.js';
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

/** Bytes of UTF-8 that an event's id may have: it is part of Kafka keys and of the ledger's. */
export const MAX_EVENT_ID_BYTES = 512;

// oxlint-disable-next-line no-control-regex -- CloudEvents strings must not have control characters.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** True for a text that no attribute of a CloudEvent may have (CloudEvents 1.0, "String"). */
export function hasControlCharacters(text: string): boolean {
  return CONTROL.test(text);
}

/** The attributes of a CloudEvent 1.0, without its data. */
export interface CloudEventAttributes {
  id: string;
  source: string;
  type: string;
  /** RFC 3339. */
  time?: string;
  subject?: string;
  dataschema?: string;
  datacontenttype?: string;
  /** Extension attributes (`[a-z0-9]+`), in their text form. `partitionkey` is one of them. */
  extensions: Record<string, string>;
}

/** The one subscription that an event is routed to, whatever its patterns and its filter say. */
export interface EventTarget {
  subscription: string;
  subscriptionUid: string;
}

/** An event that is sent again from the ledger, to one subscription. */
export interface ReplayTarget extends EventTarget {
  /** The subscription's present patterns and filter decide; otherwise it gets the event whatever they say. */
  filtered?: boolean;
}

/** One record of `events.v1`: CloudEvents' Kafka binding in binary mode, and what ingest knew. */
export interface EventRecord {
  namespace: string;
  attributes: CloudEventAttributes;
  /** The data exactly as received; `null` when the event has none. */
  data: Buffer | null;
  /** The catalogue's revision that ingest validated with. */
  revision: number;
  /** Epoch milliseconds. */
  acceptedAt: number;
  trace?: TraceContext;
  /** A manual retry or a replay of an event that is in the ledger: never taken for a duplicate. */
  replay?: ReplayTarget;
  /** A sample that somebody sends to try a subscription: an event like others, that only it gets. */
  test?: EventTarget;
}

const CORE = ['id', 'source', 'type', 'time', 'subject', 'dataschema'] as const;
const CE = 'ce_';

const REPLAY = 'quittance-replay-subscription';
const FILTERED = 'quittance-replay-filtered';
const TEST = 'quittance-test-subscription';

/** @param partitions of how many partitions of `events.v1` the namespace's events spread; left out: over all */
export function encodeEvent(topic: string, record: EventRecord, partitions?: number): OutgoingRecord {
  const { attributes } = record;
  const headers: RecordHeaders = {
    ce_specversion: '1.0',
    'quittance-namespace': record.namespace,
    'quittance-revision': String(record.revision),
    'quittance-accepted-at': String(record.acceptedAt),
  };
  for (const name of CORE) {
    const value = attributes[name];
    if (value !== undefined) headers[CE + name] = value;
  }
  for (const name of Object.keys(attributes.extensions)) headers[CE + name] = attributes.extensions[name]!;
  if (attributes.datacontenttype !== undefined) headers['content-type'] = attributes.datacontenttype;
  if (record.trace) {
    headers['traceparent'] = record.trace.traceparent;
    if (record.trace.tracestate !== undefined) headers['tracestate'] = record.trace.tracestate;
  }
  if (record.replay) encodeTarget(headers, REPLAY, record.replay);
  if (record.replay?.filtered) headers[FILTERED] = 'true';
  if (record.test) encodeTarget(headers, TEST, record.test);
  return {
    topic,
    ...(partitions !== undefined && { spread: { group: record.namespace, partitions } }),
    key: eventRecordKey(record.namespace, attributes.extensions['partitionkey'] ?? attributes.id),
    value: record.data,
    headers,
  };
}

/** @throws UnreadableRecordError when the record is not one that ingest wrote */
export function decodeEvent(record: IncomingRecord): EventRecord {
  const { headers } = record;
  if (headerText(headers, 'ce_specversion') !== '1.0') {
    throw new UnreadableRecordError('The record is not a CloudEvent 1.0 in binary mode.');
  }
  const attributes: CloudEventAttributes = {
    id: requireHeader(headers, 'ce_id'),
    source: requireHeader(headers, 'ce_source'),
    type: requireHeader(headers, 'ce_type'),
    extensions: {},
  };
  const contentType = headerText(headers, 'content-type');
  if (contentType !== undefined) attributes.datacontenttype = contentType;
  for (const header of Object.keys(headers)) {
    if (!header.startsWith(CE)) continue;
    const name = header.slice(CE.length);
    const value = headerText(headers, header);
    if (
      value === undefined ||
      name === 'specversion' ||
      name === 'id' ||
      name === 'source' ||
      name === 'type'
    )
      continue;
    if (name === 'time' || name === 'subject' || name === 'dataschema') attributes[name] = value;
    else attributes.extensions[name] = value;
  }
  const decoded: EventRecord = {
    namespace: requireHeader(headers, 'quittance-namespace'),
    attributes,
    data: record.value,
    revision: requireNumberHeader(headers, 'quittance-revision'),
    acceptedAt: requireNumberHeader(headers, 'quittance-accepted-at'),
  };
  const trace = traceContextOf(headers);
  if (trace) decoded.trace = trace;
  const replay = decodeTarget(headers, REPLAY);
  if (replay) decoded.replay = headers[FILTERED] === undefined ? replay : { ...replay, filtered: true };
  const test = decodeTarget(headers, TEST);
  if (test) decoded.test = test;
  return decoded;
}

function encodeTarget(headers: RecordHeaders, name: string, target: EventTarget): void {
  headers[name] = target.subscription;
  headers[`${name}-uid`] = target.subscriptionUid;
}

function decodeTarget(headers: IncomingRecord['headers'], name: string): EventTarget | undefined {
  const subscription = headerText(headers, name);
  if (subscription === undefined) return undefined;
  return { subscription, subscriptionUid: requireHeader(headers, `${name}-uid`) };
}
