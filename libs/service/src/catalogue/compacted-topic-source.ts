import type { ConfigSource } from '@quittance/catalog';
import type { IncomingRecord } from '@quittance/contracts';
import { CompactedTopicReader, type CompactedTopicReaderOptions, type KafkaClient } from '@quittance/kafka';
import type { Logger } from 'pino';

/** What a compacted topic of ours holds, for a reader in memory: `config.v1`, `subscription-state.v1`. */
export class CompactedTopicSource implements ConfigSource {
  private reader: CompactedTopicReader | undefined;
  private closed = false;
  private failure: string | undefined;

  constructor(
    private readonly client: KafkaClient,
    private readonly topic: string,
    private readonly logger: Logger,
    private readonly options: Pick<CompactedTopicReaderOptions, 'maxWaitMs'> = {},
  ) {}

  get confirmedAt(): number {
    return this.reader?.confirmedAt ?? 0;
  }

  get alive(): boolean {
    return !this.closed && (this.reader?.alive ?? true);
  }

  /** The last error of reading, while it lasts. */
  get trouble(): string | undefined {
    return this.failure;
  }

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    this.reader = new CompactedTopicReader(this.client, {
      ...this.options,
      topic: this.topic,
      onRecord: (record) => {
        this.failure = undefined;
        onRecord(record);
      },
      onError: (error) => {
        // Said when it begins and when its reason changes, not at every attempt.
        if (error.message !== this.failure) {
          this.logger.warn({ err: error, topic: this.topic }, 'The topic cannot be read; trying again.');
        }
        this.failure = error.message;
      },
    });
    return this.reader.start();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.reader?.close();
  }
}
