import {
  Partitioners,
  type Message,
  type PartitionerArgs,
  type Producer,
  type RecordMetadata,
} from 'kafkajs';
import type { OutgoingRecord, PartitionSpread } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import { Coalescer, type Settled } from './coalescer.js';
import { partitionInSpread, partitionOfKey } from './key-partitioner.js';
import {
  breakOff,
  cut,
  isBehindFailure,
  MAX_BATCH_BYTES,
  MAX_RECORD_BYTES,
  sizeOf,
  type Call,
  type Entry,
  type Published,
} from './entry.js';
import { isTooLarge, PublishError, tooLarge, unknownPartition } from './publish-error.js';

export type { Published } from './entry.js';

export interface PublisherOptions {
  /** A record that is not acknowledged by then is rejected with `kafka_unavailable`. Default 30 s. */
  deadlineMs?: number;
}

/** A kafkajs message that remembers which partition the partitioner gave it. */
interface PlacedMessage extends Message {
  value: Buffer | null;
  placed: number;
  spread: PartitionSpread | undefined;
}

const DEFAULT_DEADLINE_MS = 30_000;
const MAX_BATCH_RECORDS = 1000;
/**
 * After a batch of more than so many records the next one gathers for so long: requests cost more than records, here
 * and in the broker (docs/performance.md). A lone record never waits, nor do a few. The long pauses make the batches
 * that call for them: by calculation the longest begins near 1,300 records/s, and the middle one near 400.
 */
const PAUSES = [
  { above: 32, ms: 24 },
  { above: 4, ms: 20 },
  { above: 2, ms: 10 },
] as const;
/** A partition that was just added is known to all brokers within this many fresh looks. */
const PLACEMENT_TRIES = 5;
const PLACEMENT_PAUSE_MS = 300;

/** It is repeated together with the one before. */
const BEHIND: Settled<Published> = {
  ok: false,
  error: new PublishError('kafka_unavailable', 'A record that stands before it could not be written.'),
};

/** Nobody sees it: whoever waited was told when the time was up. */
const EXPIRED: Settled<Published> = {
  ok: false,
  error: new PublishError('kafka_unavailable', 'The record waited too long for Kafka.'),
};

const withoutKey = Partitioners.DefaultPartitioner();

function placeOf(args: PartitionerArgs): number {
  const { key, spread } = args.message as PlacedMessage;
  if (typeof key !== 'string') return withoutKey(args);
  const { length } = args.partitionMetadata;
  return spread ? partitionInSpread(key, spread, length) : partitionOfKey(key, length);
}

/**
 * Writes records in adaptive batches with an idempotent producer, acknowledged by all in-sync replicas.
 *
 * Two traps of the client are its business: a record for a partition that the producer does not know yet
 * is dropped in silence, so every record is matched with an acknowledgement of its partition; and after a
 * failed send the same sequence numbers would be used for *other* records, which a broker that did receive
 * the first ones takes for repetitions and drops, so a failed producer is never used again.
 */
export class KafkaPublisher {
  private producer: Producer | undefined;
  private readonly coalescer: Coalescer<Entry, Published>;
  private readonly deadlineMs: number;
  private closed = false;

  constructor(
    private readonly client: KafkaClient,
    options: PublisherOptions = {},
  ) {
    this.deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    this.coalescer = new Coalescer({
      flush: (entries) => this.flush(entries),
      maxItems: MAX_BATCH_RECORDS,
      maxBytes: 8 * MAX_BATCH_BYTES,
      sizeOf: (entry) => entry.bytes,
      pauseAfter: (records) => PAUSES.find(({ above }) => records > above)?.ms ?? 0,
    });
  }

  /** @throws PublishError when Kafka cannot be reached */
  async connect(): Promise<void> {
    await this.connected();
  }

  /** @throws PublishError */
  publish(record: OutgoingRecord): Promise<Published> {
    return this.publishAll([record]).then(([published]) => published!);
  }

  /**
   * Records of one partition are written in the order given, also across calls. Of those of one call that name the same
   * partition none is written behind one that failed and may be repeated: so a repetition of the call fills no gap late.
   * @throws PublishError the first one, after all records are settled: some may have been written
   */
  publishAll(records: readonly OutgoingRecord[]): Promise<Published[]> {
    if (records.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const published: Published[] = Array.from({ length: records.length });
      const deadline = performance.now() + this.deadlineMs;
      let open = records.length;
      let failure: Error | undefined;
      const call: Call = {
        settle: (index, result) => {
          if (result.ok) published[index] = result.value;
          else failure ??= result.error;
          if (--open > 0) return;
          if (failure) reject(failure);
          else resolve(published);
        },
      };
      for (let index = 0; index < records.length; index++)
        this.enqueue(records[index]!, index, call, deadline);
    });
  }

  /** Writes what was accepted, then disconnects. */
  async close(): Promise<void> {
    this.closed = true;
    await this.coalescer.whenIdle();
    await this.discardProducer();
  }

  private enqueue(record: OutgoingRecord, index: number, call: Call, deadline: number): void {
    if (this.closed) {
      const error = new PublishError('publisher_closed', 'The service is shutting down.');
      call.settle(index, { ok: false, error });
      return;
    }
    const bytes = sizeOf(record);
    if (bytes > MAX_RECORD_BYTES) {
      call.settle(index, { ok: false, error: tooLarge(record, bytes) });
      return;
    }
    const entry: Entry = { record, index, call, bytes, deadline, expired: false, result: undefined };
    // One timer per record would cost more than the record: see `expire`, which looks at all of them.
    this.watched.add(entry);
    this.watchdog ??= setInterval(() => this.expire(), Math.min(250, this.deadlineMs)).unref();
    this.coalescer.push(entry, this.onSettled);
  }

  private readonly watched = new Set<Entry>();
  private watchdog: NodeJS.Timeout | undefined;

  private readonly onSettled = (result: Settled<Published>, entry: Entry): void => {
    if (this.watched.delete(entry)) entry.call.settle(entry.index, result);
    if (this.watched.size > 0) return;
    clearInterval(this.watchdog);
    this.watchdog = undefined;
  };

  /** The oldest come first, so the look ends at the first one that still has time. */
  private expire(): void {
    const now = performance.now();
    for (const entry of this.watched) {
      if (entry.deadline > now) return;
      entry.expired = true;
      breakOff(entry);
      this.watched.delete(entry);
      entry.call.settle(entry.index, {
        ok: false,
        error: new PublishError(
          'kafka_unavailable',
          `Kafka did not acknowledge the record within ${this.deadlineMs} ms.`,
        ),
      });
    }
  }

  private async flush(entries: Entry[]): Promise<Settled<Published>[]> {
    for (const batch of cut(entries.filter((entry) => !entry.expired))) await this.send(batch);
    return entries.map((entry) => entry.result ?? EXPIRED);
  }

  /** Sends until every record is acknowledged or has failed for good. */
  private async send(batch: Entry[]): Promise<void> {
    let open = batch.filter((entry) => {
      if (!isBehindFailure(entry)) return true;
      entry.result = BEHIND;
      return false;
    });
    for (let attempt = 1; open.length > 0; attempt++) {
      let missing: Entry[];
      try {
        missing = await this.sendOnce(open);
      } catch (error) {
        await this.discardProducer();
        if (isTooLarge(error)) {
          await this.sendApart(open, error);
          return;
        }
        const failure = new PublishError(
          'kafka_unavailable',
          'Kafka cannot be reached, or did not acknowledge the record.',
          {
            cause: error,
          },
        );
        for (const entry of open) {
          breakOff(entry);
          entry.result = { ok: false, error: failure };
        }
        return;
      }
      open = missing;
      if (open.length === 0) return;
      // The producer's picture of the topic is older than the partition: only a new one looks again at once.
      await this.discardProducer();
      if (attempt === PLACEMENT_TRIES) {
        for (const entry of open) {
          breakOff(entry);
          entry.result = { ok: false, error: unknownPartition(entry.record) };
        }
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PLACEMENT_PAUSE_MS));
    }
  }

  /** One record of a batch was too large for its topic: only that one may fail. */
  private async sendApart(batch: Entry[], cause: unknown): Promise<void> {
    if (batch.length === 1) {
      const entry = batch[0]!;
      entry.result = { ok: false, error: tooLarge(entry.record, entry.bytes, cause) };
      return;
    }
    const middle = batch.length >> 1;
    await this.send(batch.slice(0, middle));
    await this.send(batch.slice(middle));
  }

  /** @returns the entries whose partition was not among the acknowledged ones: kafkajs has not sent them */
  private async sendOnce(batch: Entry[]): Promise<Entry[]> {
    const producer = await this.connected();
    const messages = new Map<string, PlacedMessage[]>();
    const placed: PlacedMessage[] = [];
    for (const { record } of batch) {
      const message: PlacedMessage = {
        key: record.key,
        value: record.value,
        headers: record.headers,
        placed: -1,
        spread: record.spread,
        ...(record.partition === undefined ? {} : { partition: record.partition }),
      };
      placed.push(message);
      const ofTopic = messages.get(record.topic);
      if (ofTopic) ofTopic.push(message);
      else messages.set(record.topic, [message]);
    }
    const acknowledged = await producer.sendBatch({
      acks: -1,
      topicMessages: Array.from(messages, ([topic, ofTopic]) => ({ topic, messages: ofTopic })),
    });
    // By topic, then by partition.
    const next = new Map<string, bigint[]>(Array.from(messages.keys(), (topic) => [topic, []]));
    for (const ack of acknowledged) next.get(ack.topicName)![ack.partition] = baseOffset(ack);
    const missing: Entry[] = [];
    for (let index = 0; index < batch.length; index++) {
      const entry = batch[index]!;
      const { placed: partition } = placed[index]!;
      const offsets = next.get(entry.record.topic)!;
      const offset = offsets[partition];
      if (offset === undefined) {
        missing.push(entry);
        continue;
      }
      offsets[partition] = offset + 1n;
      entry.result = { ok: true, value: { partition, offset } };
    }
    return missing;
  }

  private async connected(): Promise<Producer> {
    if (this.producer) return this.producer;
    const producer = this.client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      metadataMaxAge: 3000,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 },
      createPartitioner: () => (args) => {
        const message = args.message as PlacedMessage;
        message.placed = message.partition ?? placeOf(args);
        return message.placed;
      },
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw new PublishError('kafka_unavailable', 'Kafka cannot be reached.', { cause: error });
    }
    this.producer = producer;
    return producer;
  }

  private async discardProducer(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    await producer?.disconnect().catch(() => undefined);
  }
}

function baseOffset(ack: RecordMetadata): bigint {
  return BigInt(ack.baseOffset ?? ack.offset ?? '-1');
}
