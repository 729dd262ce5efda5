import { Module, type DynamicModule } from '@nestjs/common';
import type { IncomingRecord, Topics } from '@quittance/contracts';
import type { ConsumerGroup } from '@quittance/kafka';
import { catalogueModule, consumerProvider, kafkaModule } from '@quittance/service';
import type { DispatcherConfig } from './config.js';
import { AttemptService } from './deliveries/attempt.service.js';
import { DeliveryHandler } from './deliveries/delivery.handler.js';
import { Egress } from './deliveries/egress.js';
import { SigningKeys } from './deliveries/signing-keys.js';
import { webhookProviders } from './deliveries/webhook.providers.js';
import { RetryHandler } from './retries/retry.handler.js';
import { SubscriptionFinder } from './subscriptions/subscription-finder.js';
import { SubscriptionLanes } from './subscriptions/subscription-lanes.js';

/** Makes the attempts, schedules the retries, and gives up in the end. */
@Module({})
export class DispatcherModule {
  static of(config: DispatcherConfig): DynamicModule {
    return {
      module: DispatcherModule,
      imports: [
        kafkaModule(config, { clientId: 'quittance-dispatcher' }),
        catalogueModule(config, { compileSchemas: false }),
      ],
      controllers: [DeliveryHandler, RetryHandler],
      providers: [
        AttemptService,
        Egress,
        SigningKeys,
        SubscriptionFinder,
        SubscriptionLanes,
        ...webhookProviders(config),
        consumerProvider(config, groupsOf),
      ],
    };
  }
}

function groupsOf(topics: Topics): ConsumerGroup[] {
  const delays = new Map(topics.ladder.map((step) => [topics.deliveriesRetry(step.name), step.delayMs]));
  return [
    {
      groupId: topics.group('dispatcher'),
      sources: [{ pattern: 'deliveries', topics: [topics.deliveries] }],
    },
    {
      groupId: topics.group('dispatcher-retries'),
      // Records wait for seconds at least here: a longer poll costs the broker less.
      maxWaitTimeMs: 500,
      sources: [
        {
          pattern: 'retries',
          topics: [...delays.keys()],
          // From the broker's append: within a topic, order of offsets is order of due times.
          availableAt: (record: IncomingRecord) => record.timestamp + (delays.get(record.topic) ?? 0),
        },
      ],
    },
  ];
}
