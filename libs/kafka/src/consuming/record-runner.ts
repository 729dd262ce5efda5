import { encodeDeadLetter, type IncomingRecord, type OutgoingRecord } from '@quittance/contracts';
import type { KafkaLog } from '../kafka-client.js';
import type { KafkaPublisher } from '../publishing/publisher.js';
import { sizeOf, type AssignedPartition } from './assigned-partition.js';
import { outcomeOfError, type HandlerOutcome } from './handler-outcome.js';

/** What a handler is told beside the record. */
export interface RecordContext {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** False once the assignment under which the record was read is over. */
  isCurrent(): boolean;
  /** Whether `over` has aborted: what has not begun should not begin. See `NotStartedError`. */
  isDraining(): boolean;
  /**
   * Aborts when the assignment ends, or hand-over stops for a rebalance or a stop: what has not begun by then throws
   * `NotStartedError`, what has begun goes on. One signal per partition: who waits with many records had better listen
   * once per partition.
   */
  readonly over: AbortSignal;
  /** Aborts when the time for draining before a stop is up. */
  readonly signal: AbortSignal;
}

/**
 * A handler throws it for a record that it has not begun when `RecordContext.over` aborts: the record is given back at
 * once, and the next owner takes it up.
 */
export class NotStartedError extends Error {
  readonly code = 'not_started';
  readonly retryable = true;
}

export type RecordHandler = (record: IncomingRecord, context: RecordContext) => Promise<HandlerOutcome>;

export interface RecordRunnerOptions {
  publisher: Pick<KafkaPublisher, 'publishAll'>;
  deadLetterTopic: string;
  log: KafkaLog;
  /** Aborts when the time for draining is up. */
  signal: AbortSignal;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

class HandedOver implements RecordContext {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;

  constructor(
    record: IncomingRecord,
    private readonly from: AssignedPartition,
    readonly signal: AbortSignal,
  ) {
    this.topic = record.topic;
    this.partition = record.partition;
    this.offset = record.offset;
  }

  isCurrent(): boolean {
    return this.from.current;
  }

  isDraining(): boolean {
    return this.from.over.aborted;
  }

  get over(): AbortSignal {
    return this.from.over;
  }
}

/** Carries one record through its handler; the one place where an outcome decides what becomes of an offset. */
export class RecordRunner {
  constructor(private readonly options: RecordRunnerOptions) {}

  async run(record: IncomingRecord, partition: AssignedPartition, handler: RecordHandler): Promise<void> {
    const bytes = sizeOf(record);
    const context = new HandedOver(record, partition, this.options.signal);
    let outcome: HandlerOutcome | undefined;
    for (let failures = 0; ;) {
      try {
        if (outcome === undefined) {
          outcome = await handler(record, context);
          partition.answered();
        }
        const isWritten = await this.write(outcome, record, partition);
        if (isWritten) partition.finish(record, bytes);
        else partition.release(bytes);
        return;
      } catch (error) {
        // An outcome that could not be written is kept: the handler, and what it did outside, is not repeated.
        if (outcome === undefined) {
          outcome = outcomeOfError(error);
          if (outcome) partition.answered();
        }
        if (this.isGivenBack(outcome, partition)) {
          partition.release(bytes);
          return;
        }
        this.report(record, error, outcome?.kind === 'dead' ? 'it is given up' : 'it is tried again');
        failures++;
        await partition.sleep(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE_MS));
        if (this.isGivenBack(outcome, partition)) {
          partition.release(bytes);
          return;
        }
      }
    }
  }

  /** What came to an outcome is worth writing as long as it counts; what did not is not tried again once over. */
  private isGivenBack(outcome: HandlerOutcome | undefined, partition: AssignedPartition): boolean {
    return outcome ? !partition.current : partition.over.aborted;
  }

  /** @returns whether the offset may be finished */
  private async write(
    outcome: HandlerOutcome,
    record: IncomingRecord,
    partition: AssignedPartition,
  ): Promise<boolean> {
    const isCurrent = partition.current;
    const records: OutgoingRecord[] = isCurrent
      ? [...outcome.ledger, ...outcome.onward]
      : [...outcome.ledger];
    if (isCurrent && outcome.death) {
      const { topic, partition: number, offset } = record;
      const death = { ...outcome.death, at: Date.now(), topic, partition: number, offset };
      records.push(encodeDeadLetter(this.options.deadLetterTopic, record, death));
    }
    if (records.length > 0) await this.options.publisher.publishAll(records);
    return isCurrent;
  }

  private report(record: IncomingRecord, error: unknown, what: string): void {
    this.options.log('warn', `Handling a record failed: ${what}.`, {
      topic: record.topic,
      partition: record.partition,
      offset: String(record.offset),
      code: error instanceof Error && 'code' in error ? error.code : undefined,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
