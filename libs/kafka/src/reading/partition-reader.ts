import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import { openCluster, type ClusterAccess } from './cluster-access.js';

export interface FetchedRecords {
  records: IncomingRecord[];
  /** The first offset that is not yet written, as the leader saw it when it answered. */
  end: bigint;
}

export interface PartitionBounds {
  partition: number;
  /** The first offset that still exists. */
  beginning: bigint;
  /** The first offset that is not yet written. */
  end: bigint;
}

const MAX_FETCH_BYTES = 8 * 1024 * 1024;

/** Reads one topic's partitions by offset, outside any consumer group. */
export class PartitionReader {
  private readonly cluster: ClusterAccess;

  constructor(
    client: KafkaClient,
    private readonly topic: string,
  ) {
    this.cluster = openCluster(client);
  }

  /** @throws when Kafka cannot be reached */
  async connect(): Promise<void> {
    await this.cluster.connect();
    await this.cluster.addTargetTopic(this.topic);
  }

  async partitions(): Promise<number[]> {
    await this.cluster.refreshMetadata();
    return this.cluster.findTopicPartitionMetadata(this.topic).map(({ partitionId }) => partitionId);
  }

  /** What a group has committed, by partition; those where it never committed anything are left out. */
  async committed(groupId: string, partitions: readonly number[]): Promise<Map<number, bigint>> {
    const coordinator = await this.cluster.findGroupCoordinator({ groupId });
    const { responses } = await coordinator.offsetFetch({
      groupId,
      topics: [{ topic: this.topic, partitions: partitions.map((partition) => ({ partition })) }],
    });
    return new Map(
      responses
        .flatMap(({ partitions: found }) => found)
        .map(({ partition, offset }) => [partition, BigInt(offset)] as const)
        .filter(([, offset]) => offset >= 0n),
    );
  }

  /** The first offset that exists and the first that does not yet. */
  async bounds(partition: number): Promise<PartitionBounds> {
    const [bounds] = await this.boundsOf([partition]);
    return bounds!;
  }

  /** The same of many, in their order. */
  async boundsOf(partitions: readonly number[]): Promise<PartitionBounds[]> {
    await this.cluster.refreshMetadataIfNecessary();
    const of = async (fromBeginning: boolean): Promise<Map<number, bigint>> => {
      const [found] = await this.cluster.fetchTopicsOffset([
        { topic: this.topic, partitions: partitions.map((partition) => ({ partition })), fromBeginning },
      ]);
      return new Map(found?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
    };
    const beginnings = await of(true);
    const ends = await of(false);
    return partitions.map((partition) => ({
      partition,
      beginning: beginnings.get(partition) ?? 0n,
      end: ends.get(partition) ?? 0n,
    }));
  }

  /**
   * One fetch. An answer without records is an answer: there was nothing at `offset` yet.
   * @param maxWaitMs how long the broker may wait for the first record
   * @returns records at or after `offset`; where compaction removed all that were fetched, none, and `next`
   *   moves on all the same
   * @throws when the leader did not answer, or not for this partition: nothing is known then
   */
  async fetch(
    partition: number,
    offset: bigint,
    maxWaitMs: number,
  ): Promise<FetchedRecords & { next: bigint }> {
    await this.cluster.refreshMetadataIfNecessary();
    const found = this.cluster
      .findTopicPartitionMetadata(this.topic)
      .find((p) => p.partitionId === partition);
    if (!found) {
      await this.cluster.refreshMetadata();
      throw new Error(`The topic ${this.topic} has no partition ${partition}.`);
    }
    try {
      const broker = await this.cluster.findBroker({ nodeId: String(found.leader) });
      const { responses } = await broker.fetch({
        maxWaitTime: maxWaitMs,
        minBytes: 1,
        maxBytes: MAX_FETCH_BYTES,
        isolationLevel: 1,
        topics: [
          {
            topic: this.topic,
            partitions: [{ partition, fetchOffset: String(offset), maxBytes: MAX_FETCH_BYTES }],
          },
        ],
      });
      const answer = responses
        .find(({ topicName }) => topicName === this.topic)
        ?.partitions.find((p) => p.partition === partition);
      if (!answer) throw new Error('The broker answered without the partition.');
      const records: IncomingRecord[] = [];
      let next = offset;
      for (const message of answer.messages) {
        const at = BigInt(message.offset);
        if (at < offset) continue;
        next = at + 1n;
        if (message.isControlRecord) continue;
        records.push({
          topic: this.topic,
          partition,
          offset: at,
          timestamp: Number(message.timestamp),
          key: message.key,
          value: message.value,
          headers: message.headers ?? {},
        });
      }
      // A batch whose remaining records were compacted away holds nothing at or after `offset`.
      if (next === offset && answer.messages.length > 0) next = offset + 1n;
      return { records, next, end: BigInt(answer.highWatermark) };
    } catch (error) {
      const { host, port } = error as { host?: string; port?: number };
      if (host !== undefined && port !== undefined) this.cluster.removeBroker({ host, port });
      await this.cluster.refreshMetadata().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.cluster.disconnect();
  }
}
