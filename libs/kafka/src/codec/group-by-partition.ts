import type { Message, PartitionerArgs } from 'kafkajs';

/** Messages of one topic that are to be sent. */
export interface TopicMessages extends Omit<PartitionerArgs, 'message'> {
  messages: readonly Message[];
  partitioner(args: PartitionerArgs): number;
}

/**
 * Takes the place of kafkajs's `producer/groupMessagesPerPartition.js`, which copies a partition's list once per message:
 * 4 MB of garbage for a thousand.
 */
export function groupByPartition(given: TopicMessages): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = given;
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    (groups[partition] ??= []).push(message);
  }
  return groups;
}
