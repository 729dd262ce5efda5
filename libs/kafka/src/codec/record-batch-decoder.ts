import { Cursor } from './varint.js';

/** kafkajs's decoder of a fetch response, positioned at a record batch. */
export interface FetchDecoder {
  buffer: Buffer;
  offset: number;
}

type HeaderValue = Buffer | null | (Buffer | null)[];

/** A record in the shape of kafkajs. */
export interface DecodedRecord {
  magicByte: number;
  attributes: number;
  timestamp: string;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, HeaderValue>;
  isControlRecord: boolean;
  batchContext: BatchContext;
}

export interface BatchContext {
  firstOffset: string;
  firstTimestamp: string;
  maxTimestamp: string;
  inTransaction: boolean;
  isControlBatch: boolean;
  producerId: string;
}

const LOG_OVERHEAD = 12;
const ATTRIBUTES_AT = LOG_OVERHEAD + 9;
const COMPRESSION_MASK = 0x7;
const LOG_APPEND_TIME_MASK = 0x8;
const TRANSACTIONAL_MASK = 0x10;
const CONTROL_MASK = 0x20;
/** Smaller responses share memory anyway. */
const WORTH_COPYING = 64 * 1024;

/** Whether the batch at the decoder's position is there in full, and not compressed: else kafkajs decodes it. */
export function isPlainBatch({ buffer, offset }: FetchDecoder): boolean {
  if (buffer.length < offset + LOG_OVERHEAD + 49) return false;
  if (buffer.length < offset + LOG_OVERHEAD + buffer.readInt32BE(offset + 8)) return false;
  return (buffer.readInt16BE(offset + ATTRIBUTES_AT) & COMPRESSION_MASK) === 0;
}

/**
 * Decodes an uncompressed RecordBatch (magic 2) and moves the decoder behind it. kafkajs's own copies the object
 * of headers once per header, and calculates with wrapped big integers for every record.
 */
export function decodeRecordBatch(decoder: FetchDecoder): BatchContext & { records: DecodedRecord[] } {
  const size = LOG_OVERHEAD + decoder.buffer.readInt32BE(decoder.offset + 8);
  const { buffer, start } = ownBytes(decoder, size);
  const end = start + size;
  const attributes = buffer.readInt16BE(start + ATTRIBUTES_AT);
  const firstOffset = buffer.readBigInt64BE(start);
  const firstTimestamp = Number(buffer.readBigInt64BE(start + ATTRIBUTES_AT + 6));
  const maxTimestamp = Number(buffer.readBigInt64BE(start + ATTRIBUTES_AT + 14));
  const isControlBatch = (attributes & CONTROL_MASK) !== 0;
  const context: BatchContext = {
    firstOffset: String(firstOffset),
    firstTimestamp: String(firstTimestamp),
    maxTimestamp: String(maxTimestamp),
    inTransaction: (attributes & TRANSACTIONAL_MASK) !== 0,
    isControlBatch,
    producerId: String(buffer.readBigInt64BE(start + ATTRIBUTES_AT + 22)),
  };
  const isAppendTime = (attributes & LOG_APPEND_TIME_MASK) !== 0;
  const base = Number(firstOffset);
  const cursor = new Cursor(buffer, start + ATTRIBUTES_AT + 40);
  const names = new HeaderNames();
  const records: DecodedRecord[] = [];
  const count = buffer.readInt32BE(start + ATTRIBUTES_AT + 36);
  for (let n = 0; n < count && cursor.offset < end; n++) {
    const length = cursor.varint();
    const next = cursor.offset + length;
    const recordAttributes = buffer.readInt8(cursor.offset++);
    const timestampDelta = cursor.varint();
    const timestamp = isAppendTime ? context.maxTimestamp : String(firstTimestamp + timestampDelta);
    const offset = String(base + cursor.varint());
    records.push(new BatchRecord(recordAttributes, timestamp, offset, context, buffer, cursor.offset, names));
    cursor.offset = next;
  }
  decoder.offset += size;
  return { ...context, records };
}

/**
 * A record whose key, value and headers are read from the batch when they are asked for, each time anew: of thousands that
 * wait, few are in somebody's hands, and many headers are never looked at.
 */
class BatchRecord implements DecodedRecord {
  readonly magicByte = 2;

  /** @param keyAt where in the buffer the key begins, which value and headers follow */
  constructor(
    readonly attributes: number,
    readonly timestamp: string,
    readonly offset: string,
    readonly batchContext: BatchContext,
    private readonly buffer: Buffer,
    private readonly keyAt: number,
    private readonly names: HeaderNames,
  ) {}

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }

  get key(): Buffer | null {
    return new Cursor(this.buffer, this.keyAt).bytes();
  }

  get value(): Buffer | null {
    const cursor = new Cursor(this.buffer, this.keyAt);
    cursor.skip();
    return cursor.bytes();
  }

  get headers(): Record<string, HeaderValue> {
    const cursor = new Cursor(this.buffer, this.keyAt);
    cursor.skip();
    cursor.skip();
    return readHeaders(cursor, this.names);
  }
}

/**
 * Records are views of the bytes that they were read from: one that waits for long must not keep all that the same fetch
 * brought of other partitions, up to 10 MiB.
 */
function ownBytes({ buffer, offset }: FetchDecoder, size: number): { buffer: Buffer; start: number } {
  const { byteLength } = buffer.buffer;
  if (byteLength <= WORTH_COPYING || size * 2 >= byteLength) return { buffer, start: offset };
  return { buffer: Buffer.from(buffer.subarray(offset, offset + size)), start: 0 };
}

function readHeaders(cursor: Cursor, names: HeaderNames): Record<string, HeaderValue> {
  const headers: Record<string, HeaderValue> = {};
  const count = cursor.varint();
  for (let index = 0; index < count; index++) {
    const name = names.read(cursor, index);
    const value = cursor.bytes();
    if (!Object.hasOwn(headers, name)) {
      // Not by assignment: a header may be called `__proto__`.
      if (name === '__proto__') Object.defineProperty(headers, name, { value, enumerable: true });
      else headers[name] = value;
      continue;
    }
    const before = headers[name] ?? null;
    headers[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return headers;
}

/**
 * Records of one batch have mostly the same headers in the same order: comparing a name with that of the record before
 * takes less than making it anew.
 */
class HeaderNames {
  private readonly known: { text: string; from: number; length: number }[] = [];

  read(cursor: Cursor, index: number): string {
    const length = Math.max(0, cursor.varint());
    const from = cursor.offset;
    cursor.offset += length;
    const known = this.known[index];
    if (known?.length === length && isSame(cursor.buffer, known.from, from, length)) return known.text;
    const text = cursor.buffer.toString('utf8', from, from + length);
    this.known[index] = { text, from, length };
    return text;
  }
}

function isSame(buffer: Buffer, a: number, b: number, length: number): boolean {
  for (let n = 0; n < length; n++) if (buffer[a + n] !== buffer[b + n]) return false;
  return true;
}
