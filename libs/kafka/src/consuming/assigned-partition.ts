import type { KafkaMessage } from 'kafkajs';
import type { IncomingRecord } from '@quittance/contracts';
import type { ByteBudget, ByteShare } from './byte-budget.js';
import { decodeRuns } from './commit-metadata.js';
import { FetchedRecord } from './fetched-record.js';
import { HandOver } from './hand-over.js';
import { OffsetWindow, reachOf, type Progress } from './offset-window.js';
import type { TopicPartition } from './topic-partitions.js';

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
  /** How many records a crash may repeat, at most. See `OffsetWindow`. */
  span: number;
  /** How many records handlers may have now: what waits with a handler costs more memory than what waits before it. */
  mostHandled?: ((partition: TopicPartition) => number) | undefined;
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
  private window: OffsetWindow;
  private nextFetch: bigint;
  private rejected: bigint | undefined;
  private paused = false;
  private draining = false;
  private timer: NodeJS.Timeout | undefined;
  private underWay = 0;
  /** Of those under way, the ones without an outcome. */
  private handled = 0;
  private readonly share: ByteShare;
  private readonly handOver = new HandOver();

  /** False once the assignment is over: results are then recorded, but nothing follows from them. */
  current = true;

  /**
   * @param start what the group has committed, with its metadata; where it never committed anything, the beginning
   * @param onGap told when records were deleted before they were read
   */
  constructor(
    readonly topic: string,
    readonly partition: number,
    private readonly host: PartitionHost,
    private readonly options: PartitionOptions,
    start: { offset: bigint; metadata: string | null },
    private readonly onGap: (from: bigint, to: bigint) => void,
  ) {
    this.share = host.budget.share(() => this.pump());
    this.nextFetch = start.offset;
    const runs = decodeRuns(start.offset, start.metadata, reachOf(options.span));
    this.window = new OffsetWindow(start.offset, options.span, runs);
  }

  /** Where the next fetch has to begin. */
  get position(): bigint {
    return this.nextFetch;
  }

  get inFlight(): number {
    return this.underWay;
  }

  /** Aborts when hand-over stops: what has not begun by then is to be given back. */
  get over(): AbortSignal {
    return this.handOver.over;
  }

  /** What Kafka has as committed; where nothing ever was, where reading begins. `undefined`: not ours any more. */
  get committed(): bigint | undefined {
    return this.current ? this.window.committedOffset : undefined;
  }

  get isDraining(): boolean {
    return this.draining;
  }

  /** Resolves after `ms`, or as soon as hand-over stops or the assignment ends. */
  sleep(ms: number): Promise<void> {
    return this.handOver.sleep(ms);
  }

  /**
   * The log begins at this offset: what lay before it was deleted.
   * @returns whether reading has to go on there
   */
  beginAt(beginning: bigint): boolean {
    if (!this.current || this.nextFetch >= beginning) return false;
    this.skipTo(beginning);
    return true;
  }

  /**
   * Takes a fetched batch over; the caller moves the fetch position behind it when this says so.
   * @param fetchedAt the offset that the fetch asked for
   * @param last the batch's last offset; behind the last message where records are not for handlers
   * @returns false for a batch that was fetched under an earlier assignment: it is not ours
   */
  accept(messages: readonly KafkaMessage[], fetchedAt: bigint, last: bigint): boolean {
    if (!this.current || this.draining) return false;
    if (fetchedAt !== this.nextFetch) {
      // Either a leftover of the last membership, which does not come again, or the offset was out of
      // range and the client began anew elsewhere: that fetch is repeated with the same offset.
      if (this.rejected !== fetchedAt) {
        this.rejected = fetchedAt;
        return false;
      }
      this.skipTo(fetchedAt);
    }
    this.rejected = undefined;
    for (const message of messages) {
      const offset = BigInt(message.offset);
      this.passTo(offset);
      this.nextFetch = offset + 1n;
      if (!this.window.isFinished(offset)) this.inbox.push(new FetchedRecord(this, message, offset));
    }
    this.passTo(last + 1n);
    this.pump();
    return true;
  }

  /** The record has its outcome, which is yet to be written. Not told of records that are given back. */
  answered(): void {
    this.handled--;
    if (this.next < this.inbox.length) this.pump();
  }

  /** The record is dealt with, and what followed from it is acknowledged. */
  finish(record: IncomingRecord, bytes: number): void {
    this.underWay--;
    this.share.give(bytes);
    if (!this.current) return;
    this.window.finish(record.offset);
    if (this.isHalfUncommitted) this.host.commitSoon();
    if (this.next < this.inbox.length || this.paused) this.pump();
  }

  /** The record was given back unfinished: another owner, or the next start, takes it up again. */
  release(bytes: number): void {
    this.underWay--;
    this.share.give(bytes);
  }

  /** Whether half a window has been finished since the last commit. */
  get isHalfUncommitted(): boolean {
    return this.window.isHalfUncommitted;
  }

  /** What has to be committed, or `undefined` when Kafka has it all. */
  toCommit(): Progress | undefined {
    return this.current ? this.window.toCommit() : undefined;
  }

  markCommitted(progress: Progress): void {
    this.window.markCommitted(progress);
    if (this.current) this.pump();
  }

  /** Hands nothing over any more; what is in flight goes on. */
  drain(): void {
    this.draining = true;
    this.inbox.length = 0;
    this.next = 0;
    clearTimeout(this.timer);
    this.share.forget();
    this.handOver.end();
  }

  /** The assignment is over. */
  end(): void {
    this.current = false;
    this.drain();
    this.share.close();
  }

  /** Offsets without a record, after compaction or of a transaction's end, are finished: nobody else would do it. */
  private passTo(offset: bigint): void {
    if (offset <= this.nextFetch) return;
    this.window.finishRun(this.nextFetch, offset);
    this.nextFetch = offset;
  }

  private skipTo(offset: bigint): void {
    if (offset > this.nextFetch) this.onGap(this.nextFetch, offset);
    // What is in flight below, or finished and not committed, counts on.
    if (offset > this.nextFetch && (this.window.commitOffset < this.nextFetch || this.window.toCommit()))
      this.passTo(offset);
    else {
      this.nextFetch = offset;
      this.window = new OffsetWindow(offset, this.options.span);
    }
  }

  private pump(): void {
    if (!this.current || this.draining) return;
    const most = this.options.mostHandled?.(this) ?? Infinity;
    while (this.next < this.inbox.length) {
      const record = this.inbox[this.next]!;
      if (this.handled >= most || !this.window.hasRoomFor(record.offset)) break;
      if (!this.isDue(record)) break;
      if (!this.share.take(sizeOf(record))) break;
      this.next++;
      this.underWay++;
      this.handled++;
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
}

export function sizeOf(record: IncomingRecord): number {
  return (record.value?.length ?? 0) + 1024;
}
