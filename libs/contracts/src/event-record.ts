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

/** A manual retry or a replay: routed to one subscription only, and never taken for a duplicate. */
export interface EventReplay {
  subscription: string;
  subscriptionUid: string;
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
  replay?: EventReplay;
}

const CORE = ['id', 'source', 'type', 'time', 'subject', 'dataschema'] as const;
const CE = 'ce_';

export function encodeEvent(topic: string, record: EventRecord): OutgoingRecord {
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
  if (record.replay) {
    headers['quittance-replay-subscription'] = record.replay.subscription;
    headers['quittance-replay-subscription-uid'] = record.replay.subscriptionUid;
  }
  return {
    topic,
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
  const subscription = headerText(headers, 'quittance-replay-subscription');
  if (subscription !== undefined) {
    decoded.replay = {
      subscription,
      subscriptionUid: requireHeader(headers, 'quittance-replay-subscription-uid'),
    };
  }
  return decoded;
}
