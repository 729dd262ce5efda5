import { PartitionAssigners } from 'kafkajs';
import type { KafkaClient } from '../kafka-client.js';

/** What a fetch answers for one partition, decoded. */
export interface FetchedPartition {
  partition: number;
  highWatermark: string;
  messages: {
    offset: string;
    timestamp: string;
    key: Buffer | null;
    value: Buffer | null;
    headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
    isControlRecord?: boolean;
  }[];
}

interface FetchBroker {
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[];
  }): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
}

/** The broker that keeps a group's offsets. */
export interface OffsetBroker {
  offsetFetch(request: {
    groupId: string;
    topics: { topic: string; partitions: { partition: number }[] }[];
  }): Promise<{
    responses: {
      topic: string;
      partitions: { partition: number; offset: string; metadata?: string | null }[];
    }[];
  }>;
}

/** The part of kafkajs 2.2.4's cluster that reading a partition without a consumer group needs. */
export interface ClusterAccess {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  findBroker(node: { nodeId: string }): Promise<FetchBroker>;
  findGroupCoordinator(group: { groupId: string }): Promise<OffsetBroker>;
  removeBroker(address: { host: string; port: number }): void;
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

/**
 * kafkajs reads only as a member of a group, but hands its cluster to partition assigners. A consumer that
 * never joins gives us one: no group, no rebalance, and a fetch whose success we can see for ourselves.
 */
export function openCluster(client: KafkaClient): ClusterAccess {
  let captured: unknown;
  client.kafka.consumer({
    groupId: `${client.settings.clientId}-reader`,
    allowAutoTopicCreation: false,
    metadataMaxAge: 3000,
    // Readers try again on their own, and a stop must not wait for long retries in here.
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 1 },
    partitionAssigners: [
      (config: { cluster: unknown }) => {
        captured = config.cluster;
        return PartitionAssigners.roundRobin(config as Parameters<typeof PartitionAssigners.roundRobin>[0]);
      },
    ],
  });
  return captured as ClusterAccess;
}
