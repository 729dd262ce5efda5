import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SubscriptionStates } from '@quittance/catalog';
import { Topics } from '@quittance/contracts';
import { KafkaClient } from '@quittance/kafka';
import type { Logger } from 'pino';
import { HealthRegistry, type HealthState } from '../health/health-registry.js';
import { LOGGER } from '../logging/logger.js';
import { CompactedTopicSource } from './compacted-topic-source.js';

const STATE_SOURCE = Symbol('STATE_SOURCE');

export interface SubscriptionStatesModuleOptions {
  /**
   * Somebody waits for what was written up to now to be read (`confirmedAt`): the broker is asked more often for that, 100
   * ms apart instead of 400. News comes at once either way.
   */
  isWaitedFor?: boolean;
}

const PATIENT_WAIT_MS = 400;

/**
 * Global `SubscriptionStates` that follow `subscription-state.v1`: a service is not ready before it has read them. They
 * close in `onApplicationShutdown`, after consumers have drained. Needs `kafkaModule`.
 */
export function subscriptionStatesModule(options: SubscriptionStatesModuleOptions = {}): DynamicModule {
  const reading = options.isWaitedFor === true ? {} : { maxWaitMs: PATIENT_WAIT_MS };
  return {
    module: SubscriptionStatesModule,
    global: true,
    providers: [
      {
        provide: STATE_SOURCE,
        inject: [KafkaClient, Topics, LOGGER],
        useFactory: (client: KafkaClient, topics: Topics, logger: Logger) =>
          new CompactedTopicSource(client, topics.subscriptionState, logger, reading),
      },
      {
        provide: SubscriptionStates,
        inject: [STATE_SOURCE, LOGGER],
        useFactory: (source: CompactedTopicSource, logger: Logger) =>
          new SubscriptionStates({
            source,
            onProblem: (key, message) =>
              logger.error({ key }, `A subscription's state was not taken over: ${message}`),
          }),
      },
      {
        provide: StatesLifecycle,
        inject: [SubscriptionStates, STATE_SOURCE, HealthRegistry, LOGGER],
        useFactory: (
          states: SubscriptionStates,
          source: CompactedTopicSource,
          health: HealthRegistry,
          logger: Logger,
        ) => new StatesLifecycle(states, source, health, logger),
      },
    ],
    exports: [SubscriptionStates],
  };
}

@Module({})
export class SubscriptionStatesModule {}

class StatesLifecycle implements OnModuleInit, OnApplicationShutdown {
  private failure: Error | undefined;

  constructor(
    private readonly states: SubscriptionStates,
    private readonly source: CompactedTopicSource,
    private readonly health: HealthRegistry,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.health.register('subscription-states', () => this.state());
    this.states.start().catch((error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.logger.fatal({ err: error }, 'The states of subscriptions cannot be read any more.');
    });
  }

  onApplicationShutdown(): Promise<void> {
    return this.states.close();
  }

  private state(): HealthState {
    if (this.failure) return { ready: false, alive: false, detail: this.failure.message };
    const { ready, alive } = this.states;
    return ready
      ? { ready, alive }
      : { ready, alive, detail: this.source.trouble ?? 'reading the states of subscriptions' };
  }
}
