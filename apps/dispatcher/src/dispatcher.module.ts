import { Module, type DynamicModule } from '@nestjs/common';
import type { Catalogue, CompiledSubscription } from '@quittance/catalog';
import type { IncomingRecord, Topics } from '@quittance/contracts';
import type { ConsumerGroup } from '@quittance/kafka';
import { catalogueModule, consumerProvider, kafkaModule, subscriptionStatesModule } from '@quittance/service';
import type { DispatcherConfig } from './config.js';
import { AttemptService } from './deliveries/attempt.service.js';
import { DeliveryOutcomes } from './deliveries/delivery-outcomes.js';
import { DeliveryHandler } from './deliveries/delivery.handler.js';
import { Egress } from './deliveries/egress.js';
import { GuardedAttempt } from './deliveries/guarded-attempt.js';
import { SigningKeys } from './deliveries/signing-keys.js';
import { StoppedOutcomes } from './deliveries/stopped-outcomes.js';
import { webhookProviders } from './deliveries/webhook.providers.js';
import type { GuardSettings } from './guards/guard.js';
import { GUARD_SETTINGS, Guards } from './guards/guards.js';
import { RecentAttempts } from './guards/recent-attempts.js';
import { StateKeeper } from './guards/state-keeper.js';
import { MoveWatch } from './moving/move-watch.js';
import { StrictDeliverer } from './ordering/strict-deliverer.js';
import { ReleasePacer } from './retries/release-pacer.js';
import { RetryHandler } from './retries/retry.handler.js';
import { SubscriptionFinder } from './subscriptions/subscription-finder.js';

/** Makes the attempts, schedules the retries, and gives up in the end. */
@Module({})
export class DispatcherModule {
  static of(config: DispatcherConfig): DynamicModule {
    return {
      module: DispatcherModule,
      imports: [
        kafkaModule(config, { clientId: 'quittance-dispatcher' }),
        catalogueModule(config, { compileSchemas: false }),
        subscriptionStatesModule({ isWaitedFor: true }),
      ],
      controllers: [DeliveryHandler, RetryHandler],
      providers: [
        AttemptService,
        Egress,
        SigningKeys,
        SubscriptionFinder,
        DeliveryOutcomes,
        GuardedAttempt,
        StoppedOutcomes,
        Guards,
        RecentAttempts,
        StateKeeper,
        StrictDeliverer,
        MoveWatch,
        { provide: GUARD_SETTINGS, useValue: guardSettings(config) },
        ...webhookProviders(config),
        consumerProvider(config, groupsOf),
      ],
    };
  }
}

function guardSettings(config: DispatcherConfig): GuardSettings {
  return {
    breaker: {
      failures: config.breakerFailures,
      firstPauseMs: config.breakerPause,
      longestPauseMs: config.breakerLongestPause,
    },
    disableAfterMs: config.disableAfter,
    holdSharedMs: config.holdShared,
    holdExclusiveMs: config.holdExclusive,
  };
}

/**
 * A partition that goes to another dispatcher waits for the attempts under way, which the next owner would repeat: the
 * usual timeout of 15 s, and its outcome. Only that partition waits, and only where a subscriber is that slow.
 */
const REBALANCE_DRAIN_MS = 20_000;

/** Whose request ends is followed by one that is in hand already. */
const IN_HAND_PER_REQUEST = 2;

/**
 * Who has a partition to itself overtakes nobody there, so what it cannot be sent yet had better wait undecoded, or in Kafka:
 * with up to 10,000 of each of ten partitions in hand, collecting garbage took a fifth of the process. On a shared one others
 * may stand behind what waits.
 */
function worthHavingInHand(sharers: ReadonlySet<CompiledSubscription>): number {
  const [only, other] = sharers;
  if (!only || other) return Infinity;
  return IN_HAND_PER_REQUEST * only.resource.spec.delivery.concurrency;
}

function groupsOf(topics: Topics, catalogue: Catalogue): ConsumerGroup[] {
  const delays = new Map(topics.ladder.map((step) => [topics.deliveriesRetry(step.name), step.delayMs]));
  const releases = new ReleasePacer(delays);
  return [
    {
      groupId: topics.group('dispatcher'),
      rebalanceDrainMs: REBALANCE_DRAIN_MS,
      mostHandled: ({ partition }) => worthHavingInHand(catalogue.subscriptionsAt(partition)),
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
          availableAt: (record: IncomingRecord) => releases.availableAt(record),
        },
      ],
    },
  ];
}
