import { crc32c } from './crc32c.js';
import { varintSize, writeVarint } from './varint.js';

/** A record as kafkajs hands it to its encoder. */
export interface EncodableRecord {
  key?: string | Buffer | null;
  value: string | Buffer | null;
  headers?: Record<string, string | Buffer | (string | Buffer)[] | undefined>;
  offsetDelta?: number;
  timestampDelta?: number;
}

export interface EncodableBatch {
  compression?: number;
  firstTimestamp: number;
  maxTimestamp: number;
  lastOffsetDelta: number;
  transactional?: boolean;
  producerId: bigint | number | string | { toString(): string };
  producerEpoch: number;
  firstSequence: number;
  records: readonly EncodableRecord[];
}

/** What kafkajs's request encoder asks of an encoded part. */
export interface EncodedPart {
  buf: Buffer;
  buffer: Buffer;
  size(): number;
}

/** First offset and length; what follows counts towards the length. */
const LOG_OVERHEAD = 12;
/** From the leader epoch to the number of records. */
const BATCH_OVERHEAD = 49;
const CRC_AT = LOG_OVERHEAD + 5;
const CRC_FROM = CRC_AT + 4;
const MAGIC = 2;

interface Sized {
  record: EncodableRecord;
  headers: [name: string, value: string | Buffer][];
  bodySize: number;
}

/**
 * Encodes a RecordBatch (magic 2, uncompressed) into one buffer of the right size. kafkajs's own makes a zeroed
 * buffer of 512 bytes for every header and every record, and copies each byte four times.
 */
export function encodeRecordBatch(batch: EncodableBatch): EncodedPart {
  if (batch.compression) throw new Error('Compression is not supported.');
  const sized = batch.records.map(sizeOf);
  let total = LOG_OVERHEAD + BATCH_OVERHEAD;
  for (const { bodySize } of sized) total += varintSize(bodySize) + bodySize;
  const buffer = Buffer.allocUnsafe(total);
  buffer.writeBigInt64BE(0n, 0);
  buffer.writeInt32BE(total - LOG_OVERHEAD, 8);
  buffer.writeInt32BE(0, LOG_OVERHEAD);
  buffer[LOG_OVERHEAD + 4] = MAGIC;
  let at = CRC_FROM;
  at = buffer.writeInt16BE(batch.transactional ? 16 : 0, at);
  at = buffer.writeInt32BE(batch.lastOffsetDelta, at);
  at = buffer.writeBigInt64BE(BigInt(batch.firstTimestamp), at);
  at = buffer.writeBigInt64BE(BigInt(batch.maxTimestamp), at);
  at = buffer.writeBigInt64BE(BigInt(String(batch.producerId)), at);
  at = buffer.writeInt16BE(batch.producerEpoch, at);
  at = buffer.writeInt32BE(batch.firstSequence, at);
  at = buffer.writeInt32BE(sized.length, at);
  for (const record of sized) at = writeRecord(buffer, at, record);
  buffer.writeUInt32BE(crc32c(buffer, CRC_FROM), CRC_AT);
  return { buf: buffer, buffer, size: () => total };
}

function sizeOf(record: EncodableRecord): Sized {
  const headers: Sized['headers'] = [];
  let size =
    1 +
    varintSize(record.timestampDelta ?? 0) +
    varintSize(record.offsetDelta ?? 0) +
    sizedLength(record.key) +
    sizedLength(record.value);
  const source = record.headers;
  if (source) {
    for (const name of Object.keys(source)) {
      const value = source[name];
      if (value === undefined) continue;
      for (const one of Array.isArray(value) ? value : [value]) {
        headers.push([name, one]);
        size += sizedLength(name) + sizedLength(one);
      }
    }
  }
  return { record, headers, bodySize: size + varintSize(headers.length) };
}

function sizedLength(value: string | Buffer | null | undefined): number {
  if (value === null || value === undefined) return 1;
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  return varintSize(length) + length;
}

function writeRecord(buffer: Buffer, from: number, { record, headers, bodySize }: Sized): number {
  let at = writeVarint(buffer, from, bodySize);
  buffer[at++] = 0;
  at = writeVarint(buffer, at, record.timestampDelta ?? 0);
  at = writeVarint(buffer, at, record.offsetDelta ?? 0);
  at = writeSized(buffer, at, record.key);
  at = writeSized(buffer, at, record.value);
  at = writeVarint(buffer, at, headers.length);
  for (const [name, value] of headers) {
    at = writeSized(buffer, at, name);
    at = writeSized(buffer, at, value);
  }
  return at;
}

function writeSized(buffer: Buffer, from: number, value: string | Buffer | null | undefined): number {
  if (value === null || value === undefined) return writeVarint(buffer, from, -1);
  if (typeof value !== 'string') {
    const at = writeVarint(buffer, from, value.length);
    buffer.set(value, at);
    return at + value.length;
  }
  const length = Buffer.byteLength(value);
  const at = writeVarint(buffer, from, length);
  return at + buffer.write(value, at, length);
}
