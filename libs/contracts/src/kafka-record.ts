/** Header values as they are written; Kafka itself knows bytes only. */
export type RecordHeaders = Record<string, string | Buffer>;

/** Some of a topic's partitions, the same ones for the same group: others' records are mostly on other partitions. */
export interface PartitionSpread {
  group: string;
  /** At least 1; more than half of those there are count as half. */
  partitions: number;
}

/** A record on its way to Kafka. Without `partition` the key's hash decides. */
export interface OutgoingRecord {
  topic: string;
  partition?: number;
  /** The key's hash decides among a few partitions only. */
  spread?: PartitionSpread;
  key: string | null;
  /** `null` is a tombstone. */
  value: Buffer | null;
  headers: RecordHeaders;
}

/** A record as it was read. Its parts may be getters, which a spread would leave behind. */
export interface IncomingRecord {
  topic: string;
  partition: number;
  offset: bigint;
  /** Epoch milliseconds: the broker's append time on every topic but the compacted ones. */
  timestamp: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

/** The first value of a header as text; `undefined` when the record has none. */
export function headerText(headers: IncomingRecord['headers'], name: string): string | undefined {
  const value = headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first === null ? undefined : first.toString();
}

/** A record that cannot be read: it goes to the dead-letter topic and never round again. */
export class UnreadableRecordError extends Error {
  readonly code = 'unreadable_record';
  readonly retryable = false;
}

/** @throws UnreadableRecordError when the header is missing */
export function requireHeader(headers: IncomingRecord['headers'], name: string): string {
  const value = headerText(headers, name);
  if (value === undefined) throw new UnreadableRecordError(`The record has no header "${name}".`);
  return value;
}

const MOST_DIGITS = 16;

/** @throws UnreadableRecordError when the header is missing or is not a whole number ≥ 0 */
export function requireNumberHeader(headers: IncomingRecord['headers'], name: string): number {
  const value = headers[name];
  const number = numberIn(Buffer.isBuffer(value) ? value : Buffer.from(requireHeader(headers, name)));
  if (number !== undefined) return number;
  const text = requireHeader(headers, name).slice(0, 40);
  throw new UnreadableRecordError(`The header "${name}" is not a whole number: "${text}".`);
}

/** From the bytes: by way of a text and a regular expression this was a fifteenth of the dispatcher's time. */
function numberIn(digits: Buffer): number | undefined {
  const { length } = digits;
  if (length === 0 || length > MOST_DIGITS) return undefined;
  let number = 0;
  for (let at = 0; at < length; at++) {
    const digit = digits[at]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The W3C trace context as it travels in record headers. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

export function traceContextOf(headers: IncomingRecord['headers']): TraceContext | undefined {
  const traceparent = headerText(headers, 'traceparent');
  if (traceparent === undefined) return undefined;
  const tracestate = headerText(headers, 'tracestate');
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

/** `00-<trace id>-<span id>-<flags>` → the trace id, or `undefined` when it is none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? '');
  return match?.[1];
}
