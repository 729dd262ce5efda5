import { Module, type DynamicModule, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Topics } from '@quittance/contracts';
import { KafkaClient } from '@quittance/kafka';
import type { Logger } from 'pino';
import type { ServiceConfig } from '../config/config.js';
import { HealthRegistry, type HealthState } from '../health/health-registry.js';
import { LOGGER } from '../logging/logger.js';
import { Metrics } from '../metrics/metrics.js';
import { CompactedTopicSource } from './compacted-topic-source.js';

export interface CatalogueModuleOptions {
  /** False for a service that validates no events. Default true. */
  compileSchemas?: boolean;
}

/** So long without news from Kafka is more than a slow broker: the service says that it is not ready. */
const UNCONFIRMED_MS = 10_000;

/**
 * A global `Catalogue` that follows `config.v1`. It is read in the background: a service is not ready, but runs, until it
 * has caught up. It closes in `onApplicationShutdown`, after consumers have drained. Needs `kafkaModule`.
 */
export function catalogueModule(
  config: ServiceConfig & { catalogStaleness: number },
  options: CatalogueModuleOptions = {},
): DynamicModule {
  return {
    module: CatalogueModule,
    global: true,
    providers: [
      {
        provide: CompactedTopicSource,
        inject: [KafkaClient, Topics, LOGGER],
        useFactory: (client: KafkaClient, topics: Topics, logger: Logger) =>
          new CompactedTopicSource(client, topics.config, logger),
      },
      {
        provide: Catalogue,
        inject: [CompactedTopicSource, LOGGER],
        useFactory: (source: CompactedTopicSource, logger: Logger) =>
          new Catalogue({
            source,
            stalenessMs: config.catalogStaleness,
            ladder: config.retryLadder,
            compileSchemas: options.compileSchemas ?? true,
            onProblem: ({ key, offset, message }) =>
              logger.error(
                { key, offset: String(offset) },
                `A configuration record was not taken over: ${message}`,
              ),
          }),
      },
      {
        provide: CatalogueLifecycle,
        inject: [Catalogue, CompactedTopicSource, HealthRegistry, Metrics, LOGGER],
        useFactory: (
          catalogue: Catalogue,
          source: CompactedTopicSource,
          health: HealthRegistry,
          metrics: Metrics,
          logger: Logger,
        ) => new CatalogueLifecycle(catalogue, source, health, metrics, logger),
      },
    ],
    exports: [Catalogue],
  };
}

@Module({})
export class CatalogueModule {}

class CatalogueLifecycle implements OnModuleInit, OnApplicationShutdown {
  private failure: Error | undefined;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly source: CompactedTopicSource,
    private readonly health: HealthRegistry,
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.health.register('catalogue', () => this.state());
    this.metrics.gauge(
      'quittance_catalogue_revision',
      'Offset of the last configuration change applied.',
      [],
      (gauge) => gauge.set(this.catalogue.revision),
    );
    this.metrics.gauge(
      'quittance_catalogue_invalid_records',
      'Configuration records since the start that could not be taken over.',
      [],
      (gauge) => gauge.set(this.catalogue.invalidRecords),
    );
    this.catalogue.start().catch((error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.logger.fatal({ err: error }, 'The configuration cannot be read any more.');
    });
  }

  onApplicationShutdown(): Promise<void> {
    return this.catalogue.close();
  }

  private state(): HealthState {
    const { catalogue, source } = this;
    if (this.failure) return { ready: false, alive: false, detail: this.failure.message };
    const alive = catalogue.alive;
    const { trouble } = source;
    if (source.confirmedAt === 0)
      return { ready: false, alive, detail: trouble ?? 'reading the configuration' };
    if (!catalogue.ready) {
      return { ready: false, alive, detail: 'waiting for the first snapshot: has control been started?' };
    }
    const silentMs = performance.now() - source.confirmedAt;
    if (silentMs > UNCONFIRMED_MS) {
      const seconds = Math.round(silentMs / 1000);
      return {
        ready: false,
        alive,
        detail: `not confirmed by Kafka for ${seconds} s${trouble ? `: ${trouble}` : ''}`,
      };
    }
    return { ready: true, alive, detail: `revision ${catalogue.revision}` };
  }
}
