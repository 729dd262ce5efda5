import { crc32c } from './crc32c.js';
import { varintSize, writeVarint } from './varint.js';

/** A record as kafkajs hands it to its encoder. */
export interface EncodableRecord {
  key?: string | Buffer | null;
  value: string | Buffer | null;
  headers?: Record<string, string | Buffer | (string | Buffer)[] | undefined>;
}

export interface EncodableBatch {
  firstTimestamp: number;
  maxTimestamp: number;
  lastOffsetDelta: number;
  transactional?: boolean;
  producerId: bigint | number | string | { toString(): string };
  producerEpoch: number;
  firstSequence: number;
  records: readonly EncodableRecord[];
}

/** First offset and length; what follows counts towards the length. */
const LOG_OVERHEAD = 12;
/** From the leader epoch to the number of records. */
const BATCH_OVERHEAD = 49;
const CRC_AT = LOG_OVERHEAD + 5;
const CRC_FROM = CRC_AT + 4;
const MAGIC = 2;

interface SizedRecord {
  record: EncodableRecord;
  headerCount: number;
  bodySize: number;
}

/** A batch of which is known how many bytes it takes. */
export interface SizedBatch {
  batch: EncodableBatch;
  records: SizedRecord[];
  /** In bytes. */
  size: number;
}

/** All records of a batch bear the batch's first timestamp. */
const TIMESTAMP_DELTA = 0;

export function sizeBatch(batch: EncodableBatch): SizedBatch {
  const records = batch.records.map(sizeOf);
  let size = LOG_OVERHEAD + BATCH_OVERHEAD;
  for (const { bodySize } of records) size += varintSize(bodySize) + bodySize;
  return { batch, records, size };
}

/**
 * Writes a RecordBatch (magic 2, uncompressed). kafkajs's own makes a zeroed buffer of 512 bytes for every header
 * and every record, and copies each byte four times.
 * @returns the offset behind it
 */
export function writeBatch(buffer: Buffer, from: number, { batch, records, size }: SizedBatch): number {
  buffer.writeBigInt64BE(0n, from);
  buffer.writeInt32BE(size - LOG_OVERHEAD, from + 8);
  buffer.writeInt32BE(0, from + LOG_OVERHEAD);
  buffer[from + LOG_OVERHEAD + 4] = MAGIC;
  let at = from + CRC_FROM;
  at = buffer.writeInt16BE(batch.transactional ? 16 : 0, at);
  at = buffer.writeInt32BE(batch.lastOffsetDelta, at);
  at = buffer.writeBigInt64BE(BigInt(batch.firstTimestamp), at);
  at = buffer.writeBigInt64BE(BigInt(batch.maxTimestamp), at);
  at = buffer.writeBigInt64BE(BigInt(String(batch.producerId)), at);
  at = buffer.writeInt16BE(batch.producerEpoch, at);
  at = buffer.writeInt32BE(batch.firstSequence, at);
  at = buffer.writeInt32BE(records.length, at);
  for (let index = 0; index < records.length; index++) at = writeRecord(buffer, at, records[index]!, index);
  buffer.writeUInt32BE(crc32c(buffer, from + CRC_FROM, at), from + CRC_AT);
  return at;
}

function sizeOf(record: EncodableRecord, index: number): SizedRecord {
  let headerCount = 0;
  let size =
    1 + varintSize(TIMESTAMP_DELTA) + varintSize(index) + sizedLength(record.key) + sizedLength(record.value);
  const { headers } = record;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (Array.isArray(value)) {
      headerCount += value.length;
      for (const one of value) size += sizedLength(name) + sizedLength(one);
    } else {
      headerCount++;
      size += sizedLength(name) + sizedLength(value);
    }
  }
  return { record, headerCount, bodySize: size + varintSize(headerCount) };
}

function sizedLength(value: string | Buffer | null | undefined): number {
  if (value === null || value === undefined) return 1;
  const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
  return varintSize(length) + length;
}

function writeRecord(buffer: Buffer, from: number, sized: SizedRecord, index: number): number {
  const { key, value, headers } = sized.record;
  let at = writeVarint(buffer, from, sized.bodySize);
  buffer[at++] = 0;
  at = writeVarint(buffer, at, TIMESTAMP_DELTA);
  at = writeVarint(buffer, at, index);
  at = writeSized(buffer, at, key);
  at = writeSized(buffer, at, value);
  at = writeVarint(buffer, at, sized.headerCount);
  for (const name in headers) {
    const given = headers[name];
    if (given === undefined) continue;
    for (const one of Array.isArray(given) ? given : [given]) {
      at = writeSized(buffer, at, name);
      at = writeSized(buffer, at, one);
    }
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
