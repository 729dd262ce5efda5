/** Partitions by topic. */
export type TopicPartitions = readonly (readonly [topic: string, partitions: readonly number[]])[];

/** One partition of a topic. */
export interface TopicPartition {
  topic: string;
  partition: number;
}

/** Names a partition in maps. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

export function byTopic(partitions: Iterable<TopicPartition>): TopicPartitions {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const numbers = topics.get(topic);
    if (numbers) numbers.push(partition);
    else topics.set(topic, [partition]);
  }
  return [...topics];
}
