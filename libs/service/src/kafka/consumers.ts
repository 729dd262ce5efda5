import type { Provider } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Topics } from '@quittance/contracts';
import { KafkaClient, KafkaPublisher, KafkaStrategy, type ConsumerGroup } from '@quittance/kafka';
import { durationVariable, integerVariable } from '../config/variables.js';

/** What every service that consumes reads beside `serviceVariables`. */
export const consumerVariables = {
  /** Most offsets between a partition's committed one and the highest in flight: what a crash can repeat. */
  QUITTANCE_WINDOW_SPAN: integerVariable(1000, 1, 100_000),
  /** Record bytes in flight in this process. */
  QUITTANCE_BYTE_BUDGET: integerVariable(256 * 1024 * 1024, 1024 * 1024, 64 * 1024 * 1024 * 1024),
  /** After this much silence a group gives a member's partitions to others. */
  QUITTANCE_SESSION_TIMEOUT: durationVariable('10s'),
};

interface ConsumerConfig {
  windowSpan: number;
  byteBudget: number;
  sessionTimeout: number;
}

/**
 * Provides the service's `KafkaStrategy`, which `runService` finds and connects. Needs `kafkaModule` and
 * `catalogueModule`.
 */
export function consumerProvider(
  config: ConsumerConfig,
  groupsOf: (topics: Topics, catalogue: Catalogue) => readonly ConsumerGroup[],
): Provider {
  return {
    provide: KafkaStrategy,
    inject: [KafkaClient, KafkaPublisher, Topics, Catalogue],
    useFactory: (client: KafkaClient, publisher: KafkaPublisher, topics: Topics, catalogue: Catalogue) =>
      new KafkaStrategy({
        client,
        publisher,
        deadLetterTopic: topics.deliveriesDlq,
        byteBudget: config.byteBudget,
        groups: groupsOf(topics, catalogue).map((group) => ({
          windowSpan: config.windowSpan,
          sessionTimeoutMs: config.sessionTimeout,
          ...group,
        })),
      }),
  };
}
