import type { Admin } from 'kafkajs';
import type { TopicSpec } from '@quittance/contracts';
import type { KafkaClient } from './kafka-client.js';

const CREATION_TIMEOUT_MS = 30_000;

/** A topic exists, but not as it has to be. */
export class TopicMismatchError extends Error {
  readonly code = 'topic_mismatch';
  readonly retryable = false;
}

/** Creates topics and looks at them. */
export class KafkaAdmin {
  private connecting: Promise<Admin> | undefined;

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
        ? await this.untilServed(spec)
        : await this.partitionCount(spec.name);
      if (partitions < spec.partitions) {
        throw new TopicMismatchError(
          `The topic ${spec.name} has ${partitions} partitions and should have ${spec.partitions}: ` +
            'add them with kafka-topics.sh --alter, or ask for fewer.',
        );
      }
    }
    return missing.map((spec) => spec.name);
  }

  async partitionCount(topic: string): Promise<number> {
    const admin = await this.connected();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  }

  /** A topic that was just created is known to its brokers, and led, a moment later. */
  private async untilServed(spec: TopicSpec): Promise<number> {
    const admin = await this.connected();
    const deadline = performance.now() + CREATION_TIMEOUT_MS;
    for (;;) {
      try {
        const { topics } = await admin.fetchTopicMetadata({ topics: [spec.name] });
        const partitions = topics[0]?.partitions ?? [];
        if (partitions.length >= spec.partitions && partitions.every(({ leader }) => leader >= 0)) {
          return partitions.length;
        }
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      if (performance.now() > deadline) return 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Adds partitions; existing records stay where they are. */
  async growTopic(topic: string, partitions: number): Promise<void> {
    const admin = await this.connected();
    await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] });
  }

  async close(): Promise<void> {
    const admin = await this.connecting?.catch(() => undefined);
    await admin?.disconnect();
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
