import type { Topics } from '@quittance/contracts';
import type { KafkaAdmin } from '@quittance/kafka';
import type { LedgerFence } from '@quittance/persistence';

type Admin = Pick<KafkaAdmin, 'topicLag'>;

/**
 * How far the ledger is. It follows Kafka, at times from afar: who asks it for all events of a time has to wait until it
 * has arrived.
 */
export class LedgerProgress {
  constructor(
    private readonly admin: Admin,
    private readonly topics: Topics,
    /** The consumer group that writes the ledger. */
    private readonly group: string,
  ) {}

  /** Where what the ledger is made of ends now. @throws when Kafka cannot be asked */
  async fence(): Promise<LedgerFence> {
    const fence: Record<string, Record<string, string>> = {};
    for (const topic of [this.topics.events, this.topics.outcomes]) {
      const ends = await this.admin.topicLag(topic);
      fence[topic] = Object.fromEntries(Array.from(ends, ([partition, { end }]) => [partition, String(end)]));
    }
    return fence;
  }

  /** @throws when Kafka cannot be asked */
  async hasReached(fence: LedgerFence): Promise<boolean> {
    for (const [topic, ends] of Object.entries(fence)) {
      const lags = await this.admin.topicLag(topic, this.group);
      for (const [partition, end] of Object.entries(ends)) {
        const { committed = 0n, beginning = 0n } = lags.get(Number(partition)) ?? {};
        // What Kafka has dropped meanwhile will not be read any more.
        if ((committed > beginning ? committed : beginning) < BigInt(end)) return false;
      }
    }
    return true;
  }
}
