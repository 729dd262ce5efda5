import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Topics } from '@quittance/contracts';
import { KafkaClient, KafkaPublisher } from '@quittance/kafka';
import type { Logger } from 'pino';
import type { ServiceConfig } from '../config/config.js';
import { HealthRegistry } from '../health/health-registry.js';
import { LOGGER } from '../logging/logger.js';
import { kafkaLog } from './kafka-log.js';
import { Perseverance } from './perseverance.js';

export interface KafkaModuleOptions {
  /** Names this service in the broker's logs. */
  clientId: string;
  /** After how long an unacknowledged record is rejected. Default: that of `KafkaPublisher`. */
  publishDeadlineMs?: number;
}

/**
 * Global `KafkaClient`, `KafkaPublisher` and `Topics`. The publisher connects in the background and keeps trying, so a
 * service starts before Kafka does and is not ready until then. It closes last, in `onApplicationShutdown`.
 */
export function kafkaModule(config: ServiceConfig, options: KafkaModuleOptions): DynamicModule {
  return {
    module: KafkaModule,
    global: true,
    providers: [
      {
        provide: KafkaClient,
        inject: [LOGGER],
        useFactory: (logger: Logger) =>
          new KafkaClient({ brokers: config.kafkaBrokers, clientId: options.clientId }, kafkaLog(logger)),
      },
      {
        provide: KafkaPublisher,
        inject: [KafkaClient],
        useFactory: (client: KafkaClient) =>
          new KafkaPublisher(
            client,
            options.publishDeadlineMs === undefined ? {} : { deadlineMs: options.publishDeadlineMs },
          ),
      },
      { provide: Topics, useValue: new Topics(config.topicPrefix, config.retryLadder) },
      {
        provide: PublisherConnection,
        inject: [KafkaPublisher, HealthRegistry, LOGGER],
        useFactory: (publisher: KafkaPublisher, health: HealthRegistry, logger: Logger) =>
          new PublisherConnection(publisher, health, logger),
      },
    ],
    exports: [KafkaClient, KafkaPublisher, Topics],
  };
}

@Module({})
export class KafkaModule {}

class PublisherConnection implements OnModuleInit, OnApplicationShutdown {
  private readonly connecting: Perseverance;

  constructor(
    private readonly publisher: KafkaPublisher,
    private readonly health: HealthRegistry,
    logger: Logger,
  ) {
    this.connecting = new Perseverance('Kafka', () => publisher.connect(), logger);
  }

  onModuleInit(): void {
    this.health.register('kafka', () => this.connecting.state());
    this.connecting.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.connecting.stop();
    await this.publisher.close();
  }
}
