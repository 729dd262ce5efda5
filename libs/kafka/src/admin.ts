import type { Admin } from 'kafkajs';
import type { TopicSpec } from '@quittance/contracts';
import type { KafkaClient } from './kafka-client.js';
import { PartitionReader, type PartitionBounds } from './reading/partition-reader.js';

const CREATION_TIMEOUT_MS = 30_000;

/** A topic exists, but not as it has to be. */
export class TopicMismatchError extends Error {
  readonly code = 'topic_mismatch';
  readonly retryable = false;
}

/** A topic, or the partition of it that was asked for, does not exist. */
export class UnknownTopicError extends Error {
  readonly code = 'unknown_topic';
  readonly retryable = false;
}

/** A topic was to have fewer partitions than it has: Kafka only adds. */
export class TopicShrinkError extends Error {
  readonly code = 'topic_cannot_shrink';
  readonly retryable = false;

  constructor(
    topic: string,
    /** How many it has. */
    readonly partitions: number,
    wanted: number,
  ) {
    super(
      `The topic ${topic} has ${partitions} partitions and cannot have ${wanted}: ` +
        'partitions can be added, never removed.',
    );
  }
}

export interface PartitionLag extends PartitionBounds {
  /** The first offset that the group has not finished; `undefined`: it never committed any. */
  committed: bigint | undefined;
}

/** Creates topics, adds partitions, and looks at both. */
export class KafkaAdmin {
  private connecting: Promise<Admin> | undefined;
  private readonly readers = new Map<string, Promise<PartitionReader>>();

  constructor(private readonly client: KafkaClient) {}

  /**
   * Creates the topics that are missing. Existing ones are left as they are.
   * @returns the names of those created
   * @throws TopicMismatchError when an existing topic has fewer partitions than it should
   */
  async ensureTopics(specs: readonly TopicSpec[], replicationFactor = 1): Promise<string[]> {
    const admin = await this.connected();
    const existing = new Set(await admin.listTopics());
    const missing = specs.filter((spec) => !existing.has(spec.name));
    if (missing.length > 0) {
      await admin.createTopics({
        // Its own wait fails when a broker has not heard of the topic yet; ours is below.
        waitForLeaders: false,
        topics: missing.map((spec) => ({
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor,
          configEntries: Object.entries(spec.config).map(([name, value]) => ({ name, value })),
        })),
      });
    }
    const created = new Set(missing.map((spec) => spec.name));
    for (const spec of specs) {
      const partitions = created.has(spec.name)
        ? await this.untilServed(spec.name, spec.partitions)
        : await this.partitionCount(spec.name);
      if (partitions < spec.partitions) {
        throw new TopicMismatchError(
          `The topic ${spec.name} has ${partitions} partitions and should have ${spec.partitions}: ` +
            'add them with "quittance topics grow", or ask for fewer.',
        );
      }
    }
    return missing.map((spec) => spec.name);
  }

  /** @returns 0 for a topic that does not exist */
  async partitionCount(topic: string): Promise<number> {
    const [found] = await this.describeTopics([topic]);
    return found?.partitions ?? 0;
  }

  /**
   * How many partitions topics have, as Kafka knows it now.
   * @returns in the order asked for; topics that do not exist are left out
   */
  async describeTopics(names: readonly string[]): Promise<{ name: string; partitions: number }[]> {
    const admin = await this.connected();
    // Asking for a topic that does not exist fails as a whole.
    const existing = new Set(await admin.listTopics());
    const topics = names.filter((name) => existing.has(name));
    if (topics.length === 0) return [];
    const counts = new Map(
      (await admin.fetchTopicMetadata({ topics })).topics.map(({ name, partitions }) => [
        name,
        partitions.length,
      ]),
    );
    return topics.map((name) => ({ name, partitions: counts.get(name) ?? 0 }));
  }

  /**
   * Adds partitions until there are `partitions`, and waits until they can be written; existing records stay where
   * they are. A topic that has just as many is left as it is.
   * @throws UnknownTopicError
   * @throws TopicShrinkError when it has more
   */
  async growTopic(topic: string, partitions: number): Promise<void> {
    const [found] = await this.describeTopics([topic]);
    if (!found) throw new UnknownTopicError(`There is no topic ${topic}.`);
    if (found.partitions > partitions) throw new TopicShrinkError(topic, found.partitions, partitions);
    if (found.partitions === partitions) return;
    const admin = await this.connected();
    await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
    const served = await this.untilServed(topic, partitions);
    if (served < partitions) {
      throw new TopicMismatchError(
        `The topic ${topic} still has ${served} partitions that can be written, and should have ${partitions}.`,
      );
    }
  }

  /**
   * The first offset that is not yet written.
   * @throws UnknownTopicError when there is no such topic or partition
   */
  async endOffset(topic: string, partition: number): Promise<bigint> {
    const reader = await this.reader(topic);
    await this.partitionsOf(reader, topic, partition);
    return (await reader.bounds(partition)).end;
  }

  /**
   * How far a group is on a partition, and how far it could be.
   * @throws UnknownTopicError when there is no such topic or partition
   */
  async lag(groupId: string, topic: string, partition: number): Promise<PartitionLag> {
    const reader = await this.reader(topic);
    const [lag] = await this.lagOf(reader, await this.partitionsOf(reader, topic, partition), groupId);
    return lag!;
  }

  /**
   * Where each partition begins and ends, and how far a group is on it, by the partition's number.
   * @param groupId left out: `committed` is `undefined` throughout
   * @throws UnknownTopicError
   */
  async topicLag(topic: string, groupId?: string): Promise<Map<number, PartitionLag>> {
    const reader = await this.reader(topic);
    const lags = await this.lagOf(reader, await this.partitionsOf(reader, topic), groupId);
    return new Map(lags.map((lag) => [lag.partition, lag]));
  }

  async close(): Promise<void> {
    const admin = await this.connecting?.catch(() => undefined);
    await admin?.disconnect();
    for (const reader of this.readers.values()) {
      await reader.then((open) => open.close()).catch(() => undefined);
    }
    this.readers.clear();
  }

  private async lagOf(
    reader: PartitionReader,
    partitions: number[],
    groupId?: string,
  ): Promise<PartitionLag[]> {
    // The committed offsets first: no end is then behind them.
    const committed = groupId === undefined ? undefined : await reader.committed(groupId, partitions);
    const bounds = await reader.boundsOf(partitions);
    return bounds.map((each) => ({ ...each, committed: committed?.get(each.partition) }));
  }

  /** All of a topic, or the one asked for, which has to exist. */
  private async partitionsOf(reader: PartitionReader, topic: string, partition?: number): Promise<number[]> {
    const all = (await reader.partitions()).sort((a, b) => a - b);
    if (partition === undefined) return all;
    if (all.includes(partition)) return [partition];
    throw new UnknownTopicError(`The topic ${topic} has no partition ${partition}.`);
  }

  private reader(topic: string): Promise<PartitionReader> {
    const known = this.readers.get(topic);
    if (known) return known;
    const opening = this.open(topic);
    this.readers.set(topic, opening);
    opening.catch(() => this.readers.delete(topic));
    return opening;
  }

  private async open(topic: string): Promise<PartitionReader> {
    const [found] = await this.describeTopics([topic]);
    if (!found) throw new UnknownTopicError(`There is no topic ${topic}.`);
    const reader = new PartitionReader(this.client, topic);
    try {
      await reader.connect();
    } catch (error) {
      await reader.close().catch(() => undefined);
      throw error;
    }
    return reader;
  }

  /** A topic or partition that was just created is known to its brokers, and led, a moment later. */
  private async untilServed(topic: string, wanted: number): Promise<number> {
    const admin = await this.connected();
    const deadline = performance.now() + CREATION_TIMEOUT_MS;
    for (;;) {
      try {
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        const partitions = topics[0]?.partitions ?? [];
        if (partitions.length >= wanted && partitions.every(({ leader }) => leader >= 0)) {
          return partitions.length;
        }
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      if (performance.now() > deadline) return 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private connected(): Promise<Admin> {
    this.connecting ??= (async () => {
      // Callers try again on their own; a stop must not wait for long retries in here.
      const admin = this.client.kafka.admin({
        retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 3 },
      });
      await admin.connect();
      return admin;
    })();
    this.connecting.catch(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }
}
