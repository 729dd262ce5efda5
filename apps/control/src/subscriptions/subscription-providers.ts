import type { Provider } from '@nestjs/common';
import { Topics } from '@quittance/contracts';
import { KafkaAdmin } from '@quittance/kafka';
import type { ControlConfig } from '../config.js';
import { END_OFFSET, HomeMoves, MOVE_SETTLE_MS, type EndOffset } from './home-moves.js';
import { HomePartitions } from './home-partitions.js';
import { MoveClock } from './move-clock.js';
import { COUNT_PARTITIONS, PartitionCount, type CountPartitions } from './partition-count.js';
import { SecretService } from './secret.service.js';
import { SigningSecrets } from './signing-secrets.js';
import { StateClock } from './state-clock.js';
import { StateRemovals } from './state-removals.js';
import { SubscriptionActions } from './subscription-actions.js';
import { SubscriptionReplacement } from './subscription-replacement.js';

/** Homes, secrets and actions of subscriptions. */
export function subscriptionProviders(config: Pick<ControlConfig, 'moveSettle'>): Provider[] {
  return [
    PartitionCount,
    HomePartitions,
    HomeMoves,
    MoveClock,
    StateRemovals,
    StateClock,
    SigningSecrets,
    SecretService,
    SubscriptionActions,
    SubscriptionReplacement,
    { provide: MOVE_SETTLE_MS, useValue: config.moveSettle },
    {
      provide: COUNT_PARTITIONS,
      inject: [KafkaAdmin, Topics],
      useFactory:
        (admin: KafkaAdmin, topics: Topics): CountPartitions =>
        () =>
          admin.partitionCount(topics.deliveries),
    },
    {
      provide: END_OFFSET,
      inject: [KafkaAdmin, Topics],
      useFactory:
        (admin: KafkaAdmin, topics: Topics): EndOffset =>
        (partition) =>
          admin.endOffset(topics.deliveries, partition),
    },
  ];
}
