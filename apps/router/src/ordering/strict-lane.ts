import type { OutgoingRecord } from '@quittance/contracts';
import { NotStartedError, type KafkaPublisher, type RecordContext } from '@quittance/kafka';
import type { Homes } from '../routing/homes.js';

export type LaneContext = Pick<RecordContext, 'isCurrent' | 'over'>;

/** Says that a record will never be written, however often it is tried. */
export interface Refusal {
  code: string;
  reason: string;
}

export interface StrictLaneOptions {
  publisher: Pick<KafkaPublisher, 'publishAll'>;
  /** The assignment that everything in the lane was read under. */
  context: LaneContext;
  homes: Pick<Homes, 'areKnown' | 'present'>;
  /** Nothing is under way, nothing waits. */
  onIdle(): void;
  /** A publish failed, and is repeated. */
  onRepeat(error: unknown): void;
}

interface Submission {
  readonly record: OutgoingRecord;
  readonly resolve: (refusal: Refusal | undefined) => void;
  readonly reject: (error: Error) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A batch is repeated as a whole: what does not fit is in the next one. Below what one record batch of Kafka may have. */
const MAX_BATCH_RECORDS = 500;
const MAX_BATCH_BYTES = 1024 * 1024;

/**
 * Writes the deliveries of one strict subscription that come from one partition of `events.v1`, in the order in which they
 * are submitted. One publish is under way at a time, and repeated until it works: nothing that was submitted later passes
 * it. What has come meanwhile goes together.
 */
export class StrictLane {
  private waiting: Submission[] = [];
  private isRunning = false;

  constructor(private readonly options: StrictLaneOptions) {}

  /**
   * @returns resolves when the record is acknowledged, or with the reason why it never will be
   * @throws NotStartedError when the assignment is over first
   */
  submit(record: OutgoingRecord): Promise<Refusal | undefined> {
    // One that came before may have been given back by now.
    if (this.options.context.over.aborted)
      return Promise.reject(new NotStartedError('The assignment is over.'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      if (!this.isRunning) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.waiting.length > 0) {
      const batch = this.take();
      try {
        await this.write(batch);
      } catch (error) {
        // Nor may anything be written that waits behind it: whoever reads the partition next begins with the first.
        const failure = error instanceof Error ? error : new Error(String(error));
        for (const { reject } of [...batch, ...this.waiting.splice(0)]) reject(failure);
      }
    }
    this.isRunning = false;
    this.options.onIdle();
  }

  private async write(batch: readonly Submission[]): Promise<void> {
    try {
      await this.publish(batch.map(({ record }) => record));
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      if (batch.length === 1) {
        batch[0]!.resolve(refusal);
        return;
      }
      // One of them was refused, and nobody says which: each by itself. Some are written twice then.
      for (const submission of batch) await this.write([submission]);
      return;
    }
    for (const { resolve } of batch) resolve(undefined);
  }

  /** @throws PublishError when repeating it is in vain; NotStartedError when the assignment is over */
  private async publish(records: readonly OutgoingRecord[]): Promise<void> {
    const { publisher, context, homes } = this.options;
    for (let failures = 0; ; failures++) {
      if (!context.isCurrent()) throw new NotStartedError('The assignment is over.');
      if (homes.areKnown()) {
        try {
          // The home may have moved since the record was made, or since the last try.
          await publisher.publishAll(records.map((record) => homes.present(record)));
          return;
        } catch (error) {
          if (refusalOf(error) !== undefined) throw error;
          if (failures === 0) this.options.onRepeat(error);
        }
      }
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
      await pause(pauseMs, context.over);
      if (context.over.aborted) {
        throw new NotStartedError('The assignment was over before Kafka took the delivery.');
      }
    }
  }

  private take(): Submission[] {
    let count = 0;
    let bytes = 0;
    while (count < this.waiting.length && count < MAX_BATCH_RECORDS) {
      bytes += this.waiting[count]!.record.value?.length ?? 0;
      if (bytes > MAX_BATCH_BYTES && count > 0) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }
}

/** @returns `undefined`: trying again may help */
function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !('retryable' in error) || error.retryable !== false) return undefined;
  return { code: 'code' in error ? String(error.code) : 'refused', reason: error.message };
}

/** Resolves after `ms`, or as soon as the signal aborts. */
function pause(ms: number, over: AbortSignal): Promise<void> {
  if (over.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    over.addEventListener('abort', end, { once: true });
  });
}
