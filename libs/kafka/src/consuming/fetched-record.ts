import type { KafkaMessage } from 'kafkajs';
import type { IncomingRecord } from '@quittance/contracts';
import type { TopicPartition } from './topic-partitions.js';

/**
 * A record as handlers see it. It keeps nothing of what the codec reads on demand: whoever needs the headers, or the value,
 * more than once had better remember them.
 */
export class FetchedRecord implements IncomingRecord {
  readonly topic: string;
  readonly partition: number;

  constructor(
    { topic, partition }: TopicPartition,
    private readonly message: KafkaMessage,
    readonly offset: bigint,
  ) {
    this.topic = topic;
    this.partition = partition;
  }

  get timestamp(): number {
    return Number(this.message.timestamp);
  }

  get key(): Buffer | null {
    return this.message.key;
  }

  get value(): Buffer | null {
    return this.message.value;
  }

  get headers(): IncomingRecord['headers'] {
    return this.message.headers ?? {};
  }
}
