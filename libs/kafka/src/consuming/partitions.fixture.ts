import type { KafkaMessage } from 'kafkajs';
import type { IncomingRecord } from '@quittance/contracts';
import { sizeOf, type AssignedPartition, type PartitionHost } from './assigned-partition.js';
import { ByteBudget } from './byte-budget.js';

/** A consumer whose handlers end when the test says so. */
export class FakeHost implements PartitionHost {
  readonly budget = new ByteBudget(1024 * 1024);
  readonly paused = new Set<string>();
  private readonly started = new Map<string, [IncomingRecord, AssignedPartition]>();
  /** Replaced by tests that commit. */
  commitSoon: () => void = () => undefined;

  /** The offsets in flight. */
  get inFlight(): number[] {
    return Array.from(this.started.values(), ([{ offset }]) => Number(offset));
  }

  start(record: IncomingRecord, partition: AssignedPartition): void {
    this.started.set(`${record.partition} ${record.offset}`, [record, partition]);
  }

  /** The handler has returned; what follows from the record is being written. */
  answer(partition: number, offset: number): void {
    const [, owner] = this.started.get(`${partition} ${offset}`)!;
    owner.answered();
  }

  /** What follows from the records is written, too. */
  finish(partition: number, ...offsets: number[]): void {
    for (const offset of offsets) {
      const [record, owner] = this.started.get(`${partition} ${offset}`)!;
      this.started.delete(`${partition} ${offset}`);
      owner.finish(record, sizeOf(record));
    }
  }

  pause(topic: string, partition: number): void {
    this.paused.add(`${topic} ${partition}`);
  }

  resume(topic: string, partition: number): void {
    this.paused.delete(`${topic} ${partition}`);
  }
}

export function messages(...offsets: number[]): KafkaMessage[] {
  return offsets.map((offset) => ({
    key: null,
    value: Buffer.from('x'),
    timestamp: '0',
    attributes: 0,
    offset: String(offset),
    headers: {},
  }));
}

/** Offsets from 0 up to, and without, `count`. */
export function offsetsBelow(count: number): number[] {
  return Array.from({ length: count }, (_, offset) => offset);
}
