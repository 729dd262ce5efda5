import { Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { HealthRegistry } from './health/health-registry.js';
import { LOGGER } from './logging/logger.js';
import { Metrics } from './metrics/metrics.js';

/** What every service can inject: `LOGGER`, `HealthRegistry`, `Metrics`. */
export function serviceModule(parts: {
  logger: Logger;
  health: HealthRegistry;
  metrics: Metrics;
}): DynamicModule {
  return {
    module: ServiceModule,
    global: true,
    providers: [
      { provide: LOGGER, useValue: parts.logger },
      { provide: HealthRegistry, useValue: parts.health },
      { provide: Metrics, useValue: parts.metrics },
    ],
    exports: [LOGGER, HealthRegistry, Metrics],
  };
}

@Module({})
export class ServiceModule {}
