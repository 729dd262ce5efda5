import type { OutgoingRecord } from '@quittance/contracts';
import type { Settled } from './coalescer.js';

/** Where a record was written. */
export interface Published {
  partition: number;
  offset: bigint;
}

/** What was handed over at once. */
export interface Call {
  settle(index: number, result: Settled<Published>): void;
  /** The partitions of which a record could not be written: what stands behind it there is not written either. */
  broken?: Set<string>;
}

/** One record that is to be written. */
export interface Entry {
  record: OutgoingRecord;
  /** Which one of its call. */
  index: number;
  call: Call;
  bytes: number;
  deadline: number;
  /** The caller was already told that the deadline has passed. */
  expired: boolean;
  /** What became of it in the flush under way. */
  result: Settled<Published> | undefined;
}

/** The topics' limit is 3 MiB for a whole RecordBatch; all records of a partition in one send form one. */
export const MAX_BATCH_BYTES = 2 * 1024 * 1024;
export const MAX_RECORD_BYTES = 3 * 1024 * 1024 - 64 * 1024;

export function sizeOf(record: OutgoingRecord): number {
  let bytes = 70 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const name in record.headers) bytes += name.length + record.headers[name]!.length + 4;
  return bytes;
}

/** From now on nothing of its call is written to its partition. */
export function breakOff({ call, record: { topic, partition } }: Entry): void {
  if (partition !== undefined) (call.broken ??= new Set()).add(`${topic} ${partition}`);
}

export function isBehindFailure({ call, record: { topic, partition } }: Entry): boolean {
  return call.broken !== undefined && call.broken.has(`${topic} ${partition}`);
}

/** Cuts where a partition's batch would grow past the limit. Records placed by key count as one partition. */
export function cut(entries: readonly Entry[]): Entry[][] {
  // No partition's batch can be larger than all of them.
  if (entries.reduce((sum, { bytes }) => sum + bytes, 0) <= MAX_BATCH_BYTES) {
    return entries.length > 0 ? [[...entries]] : [];
  }
  const batches: Entry[][] = [];
  let batch: Entry[] = [];
  let bytes = new Map<string, number>();
  for (const entry of entries) {
    const { topic, partition } = entry.record;
    const target = partition === undefined ? topic : `${topic} ${partition}`;
    const sum = (bytes.get(target) ?? 0) + entry.bytes;
    if (sum > MAX_BATCH_BYTES && bytes.has(target)) {
      batches.push(batch);
      batch = [];
      bytes = new Map([[target, entry.bytes]]);
    } else {
      bytes.set(target, sum);
    }
    batch.push(entry);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
