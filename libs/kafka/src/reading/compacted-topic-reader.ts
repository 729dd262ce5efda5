import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import { PartitionReader } from './partition-reader.js';

export interface CompactedTopicReaderOptions {
  /** A topic with one partition. */
  topic: string;
  /** Called in order, once per record; must not throw. */
  onRecord(record: IncomingRecord): void;
  /** Kafka cannot be read at the moment; reading goes on. */
  onError?(error: Error): void;
  /**
   * How long a fetch waits for news, ms: so old is what `confirmedAt` says, and twice that, when nothing happens. News
   * itself comes at once. Default 100.
   */
  maxWaitMs?: number | undefined;
}

const DEFAULT_MAX_WAIT_MS = 100;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;

/** Reads a one-partition topic from its beginning, then follows it until closed, through any outage. */
export class CompactedTopicReader {
  private reader: PartitionReader | undefined;
  private closed = false;
  private running: Promise<void> | undefined;
  private next = 0n;
  private confirmed = 0;
  private applied = -1n;

  constructor(
    private readonly client: KafkaClient,
    private readonly options: CompactedTopicReaderOptions,
  ) {}

  /** The offset of the last record applied; -1 before any. */
  get position(): bigint {
    return this.applied;
  }

  /**
   * `performance.now()` of when the last fetch that reached the end of the topic *began*; 0 before any.
   * Everything that Kafka had acknowledged by then has been applied.
   */
  get confirmedAt(): number {
    return this.confirmed;
  }

  /** False once closed; an outage of Kafka is not a death. */
  get alive(): boolean {
    return !this.closed;
  }

  /** Resolves once everything was read that stood in the topic; waits for Kafka as long as it takes. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.running = this.follow(resolve);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.running;
    await this.reader?.close().catch(() => undefined);
  }

  private async follow(caughtUp: () => void): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.closed) {
      try {
        const reader = await this.connected();
        const began = performance.now();
        const fetched = await reader.fetch(0, this.next, this.options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS);
        for (const record of fetched.records) {
          this.options.onRecord(record);
          this.applied = record.offset;
        }
        this.next = fetched.next;
        if (this.next >= fetched.end) {
          this.applied = this.next - 1n;
          this.confirmed = began;
          caughtUp();
        }
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (this.closed) return;
        this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
        await this.recover(error);
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  private async connected(): Promise<PartitionReader> {
    if (this.reader) return this.reader;
    const reader = new PartitionReader(this.client, this.options.topic);
    try {
      await reader.connect();
      this.next = this.applied >= 0n ? this.applied + 1n : (await reader.bounds(0)).beginning;
    } catch (error) {
      await reader.close().catch(() => undefined);
      throw error;
    }
    this.reader = reader;
    return reader;
  }

  /** A new connection looks at the topic afresh. */
  private async recover(error: unknown): Promise<void> {
    if ((error as { name?: string }).name === 'KafkaJSOffsetOutOfRange') this.applied = -1n;
    const { reader } = this;
    this.reader = undefined;
    await reader?.close().catch(() => undefined);
  }
}
