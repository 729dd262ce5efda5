import type { KafkaMessage } from 'kafkajs';
import type { IncomingRecord } from '@quittance/contracts';
import type { ByteBudget } from './byte-budget.js';
import { decodeRuns, encodeRuns } from './commit-metadata.js';
import { OffsetWindow } from './offset-window.js';

/** What a partition needs of the consumer that it belongs to. */
export interface PartitionHost {
  /** Starts the handler; never throws, never waits. Calls `finish` on the partition in the end. */
  start(record: IncomingRecord, partition: AssignedPartition): void;
  pause(topic: string, partition: number): void;
  resume(topic: string, partition: number): void;
  /** Half a window has been finished since the last commit: do not wait for the timer. */
  commitSoon(): void;
  readonly budget: ByteBudget;
}

export interface PartitionOptions {
  /** Most offsets between the committed one and the highest in flight. */
  span: number;
  /** When a record may be handed over, epoch milliseconds; for topics whose records wait. */
  availableAt?: ((record: IncomingRecord) => number) | undefined;
}

/** The largest delay of a Node timer; a longer wait looks again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One partition under one assignment. Fetched records wait in `inbox` (at most one fetch: the partition is
 * paused meanwhile) until the window, the byte budget and their due time let them through.
 */
export class AssignedPartition {
  private readonly inbox: IncomingRecord[] = [];
  private next = 0;
  private window: OffsetWindow | undefined;
  /** Where the next fetch has to begin; `undefined` before the first. */
  private position: bigint | undefined;
  private rejected: bigint | undefined;
  private paused = false;
  private draining = false;
  private timer: NodeJS.Timeout | undefined;
  private underWay = 0;
  private readonly pumpAgain = (): void => this.pump();

  /** False once the assignment is over: results are then recorded, but nothing follows from them. */
  current = true;

  /**
   * @param committed what the group has committed, with its metadata; `undefined`: nothing yet
   * @param onGap told when records were deleted before they were read
   */
  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly host: PartitionHost,
    private readonly options: PartitionOptions,
    committed: { offset: bigint; metadata: string | null } | undefined,
    private readonly onGap: (from: bigint, to: bigint) => void,
  ) {
    if (committed) {
      this.position = committed.offset;
      const runs = decodeRuns(committed.offset, committed.metadata, options.span);
      this.window = new OffsetWindow(committed.offset, options.span, runs);
      this.window.markCommitted(committed.offset, committed.metadata ?? '');
    }
  }

  get inFlight(): number {
    return this.underWay;
  }

  /**
   * Takes a fetched batch over; the caller moves the fetch position behind it when this says so.
   * @param fetchedAt the offset that the fetch asked for
   * @returns false for a batch that was fetched under an earlier assignment: it is not ours
   */
  accept(messages: readonly KafkaMessage[], fetchedAt: bigint): boolean {
    if (!this.current || this.draining) return false;
    if (this.position !== undefined && fetchedAt !== this.position) {
      // Either a leftover of the last assignment, which does not come again, or the offset was out of
      // range and the client began anew elsewhere: that fetch is repeated with the same offset.
      if (this.rejected !== fetchedAt) {
        this.rejected = fetchedAt;
        return false;
      }
      if (fetchedAt > this.position) this.onGap(this.position, fetchedAt);
      this.window = undefined;
    }
    this.rejected = undefined;
    if (!this.window) {
      this.window = new OffsetWindow(fetchedAt, this.options.span);
    }
    for (const message of messages) {
      const offset = BigInt(message.offset);
      this.position = offset + 1n;
      if (this.window.isFinished(offset)) continue;
      this.inbox.push(this.toRecord(message, offset));
    }
    this.pump();
    return true;
  }

  /** The record is dealt with, and what followed from it is acknowledged. */
  finish(record: IncomingRecord, bytes: number): void {
    this.underWay--;
    this.host.budget.give(bytes);
    if (!this.current || !this.window) return;
    this.window.finish(record.offset);
    if (this.window.uncommitted * 2 >= this.options.span) this.host.commitSoon();
    if (this.next < this.inbox.length || this.paused) this.pump();
  }

  /** The record was given back unfinished: another owner, or the next start, takes it up again. */
  release(bytes: number): void {
    this.underWay--;
    this.host.budget.give(bytes);
  }

  /** What has to be committed, or `undefined` when Kafka has it all. */
  toCommit(): { offset: bigint; metadata: string } | undefined {
    if (!this.window || !this.current) return undefined;
    const offset = this.window.commitOffset;
    const metadata = encodeRuns(offset, this.window.runs());
    return this.window.isDirty(metadata) ? { offset, metadata } : undefined;
  }

  markCommitted(offset: bigint, metadata: string): void {
    this.window?.markCommitted(offset, metadata);
    if (this.current) this.pump();
  }

  /** Hands nothing over any more; what is in flight goes on. */
  drain(): void {
    this.draining = true;
    this.inbox.length = 0;
    this.next = 0;
    this.stopTimers();
  }

  /** The assignment is over. */
  end(): void {
    this.current = false;
    this.drain();
  }

  private stopTimers(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.host.budget.forget(this.pumpAgain);
  }

  private pump(): void {
    if (!this.current || this.draining || !this.window) return;
    while (this.next < this.inbox.length) {
      const record = this.inbox[this.next]!;
      if (!this.window.hasRoomFor(record.offset)) break;
      if (!this.isDue(record)) break;
      if (!this.host.budget.take(sizeOf(record), this.pumpAgain)) break;
      this.next++;
      this.underWay++;
      this.host.start(record, this);
    }
    if (this.next === this.inbox.length) {
      this.inbox.length = 0;
      this.next = 0;
      if (this.paused) {
        this.paused = false;
        this.host.resume(this.topic, this.partition);
      }
    } else if (!this.paused) {
      this.paused = true;
      this.host.pause(this.topic, this.partition);
    }
  }

  private isDue(record: IncomingRecord): boolean {
    if (!this.options.availableAt) return true;
    const wait = this.options.availableAt(record) - Date.now();
    if (wait <= 0) return true;
    // One timer per partition, for its head: due times rise within a topic.
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        this.pump();
      },
      Math.min(wait, MAX_TIMER_MS),
    );
    return false;
  }

  private toRecord(message: KafkaMessage, offset: bigint): IncomingRecord {
    return {
      topic: this.topic,
      partition: this.partition,
      offset,
      timestamp: Number(message.timestamp),
      key: message.key,
      value: message.value,
      headers: message.headers ?? {},
    };
  }
}

export function sizeOf(record: IncomingRecord): number {
  return (record.value?.length ?? 0) + 1024;
}
