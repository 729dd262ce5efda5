import { Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connectStrategy, KafkaStrategy } from '@quittance/kafka';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { ServiceConfig } from '../config/config.js';
import { HealthRegistry } from '../health/health-registry.js';
import { createHttpAdapter } from '../http/http-adapter.js';
import { ProblemFilter } from '../http/problem-filter.js';
import { RouteTable } from '../http/route-table.js';
import { TlsCertificate } from '../http/tls-certificate.js';
import { TlsReload } from '../http/tls-reload.js';
import { NestLogger } from '../logging/nest-logger.js';
import { Metrics } from '../metrics/metrics.js';
import { serviceModule } from '../service.module.js';
import { ManagementServer } from './management-server.js';

export interface ServiceParts<C> {
  name: string;
  config: C;
  logger: Logger;
  module: (config: C) => DynamicModule;
  configureHttp?: (fastify: FastifyInstance, config: C) => void;
}

/** Where a service listens; ports that the configuration left to the system are filled in. */
export interface ServiceAddresses {
  managementPort: number;
  port?: number;
}

type Stage = (name: string) => void;

/** Called first of all `onApplicationShutdown` hooks, because its module is the root. */
@Injectable()
class ResourceStage implements OnApplicationShutdown {
  enter: Stage | undefined;

  onApplicationShutdown(): void {
    this.enter?.('closing connections to Kafka and the database');
  }
}

@Module({})
class RootModule {}

/** One running service: its Nest application, its consumers and its management server. */
export class Service<C extends ServiceConfig> {
  readonly health = new HealthRegistry();
  readonly metrics: Metrics;
  private readonly management: ManagementServer;
  private readonly resourceStage = new ResourceStage();
  private app: NestFastifyApplication | undefined;
  private tlsReload: TlsReload | undefined;
  private phase: 'starting' | 'running' | 'stopping' = 'starting';

  constructor(private readonly parts: ServiceParts<C>) {
    const { config, name } = parts;
    this.metrics = new Metrics(name);
    this.metrics.collectDefaults();
    this.health.register('lifecycle', () =>
      this.phase === 'running' ? { ready: true } : { ready: false, detail: this.phase },
    );
    this.management = new ManagementServer({
      host: config.host,
      port: config.managementPort,
      health: this.health,
      metrics: this.metrics,
    });
  }

  /** @throws when a port is taken, the TLS certificate cannot be used, or the module cannot be put together */
  async start(): Promise<ServiceAddresses> {
    const { config, logger, configureHttp } = this.parts;
    const certificate = configureHttp && (await certificateOf(config));
    const managementPort = await this.management.listen();
    const routes = new RouteTable();
    const adapter = createHttpAdapter({ config, metrics: this.metrics, routes, certificate });
    configureHttp?.(adapter.getInstance(), config);
    const app = await NestFactory.create<NestFastifyApplication>(this.rootModule(), adapter, {
      bufferLogs: true,
      bodyParser: false,
      abortOnError: false,
    });
    this.app = app;
    app.useLogger(new NestLogger(logger));
    app.useGlobalFilters(new ProblemFilter(logger, routes));
    const consumes = this.connectConsumers(app);
    await app.init();
    const addresses: ServiceAddresses = { managementPort };
    if (configureHttp) {
      await app.listen(config.port ?? 0, config.host);
      const server = app.getHttpServer();
      addresses.port = (server.address() as AddressInfo).port;
      if (certificate && server instanceof TlsServer) this.reload(certificate, server);
    }
    this.phase = 'running';
    logger.info({ host: config.host, ...addresses }, 'Started.');
    if (consumes) await app.startAllMicroservices();
    return addresses;
  }

  /** Not ready any more; HTTP requests and records under way are finished; then resources close. */
  async close(enter: Stage = () => undefined): Promise<void> {
    this.phase = 'stopping';
    this.tlsReload?.stop();
    this.resourceStage.enter = enter;
    enter('finishing HTTP requests');
    this.app
      ?.getHttpAdapter()
      .getInstance()
      .server.once('close', () => enter('draining consumers'));
    await this.app?.close();
    enter('closing the management server');
    await this.management.close();
  }

  private rootModule(): DynamicModule {
    const { config, logger } = this.parts;
    return {
      module: RootModule,
      imports: [
        serviceModule({ logger, health: this.health, metrics: this.metrics }),
        this.parts.module(config),
      ],
      providers: [{ provide: ResourceStage, useValue: this.resourceStage }],
    };
  }

  private reload(certificate: TlsCertificate, server: TlsServer): void {
    const { config, logger } = this.parts;
    this.tlsReload = new TlsReload({
      certFile: config.tlsCertFile ?? '',
      keyFile: config.tlsKeyFile ?? '',
      everyMs: config.tlsReload,
      certificate,
      server,
      logger,
      metrics: this.metrics,
    });
  }

  /** A service consumes if its modules provide a `KafkaStrategy`. */
  private connectConsumers(app: NestFastifyApplication): boolean {
    const strategies = new Set<KafkaStrategy>();
    for (const module of app.get(ModulesContainer).values()) {
      for (const { instance } of module.providers.values()) {
        if (instance instanceof KafkaStrategy) strategies.add(instance);
      }
    }
    for (const [index, strategy] of [...strategies].entries()) {
      connectStrategy(app, strategy);
      this.health.register(strategies.size === 1 ? 'consumers' : `consumers ${index + 1}`, () => {
        const { alive, joined, partitions, inFlight } = strategy.health();
        const membership = joined ? 'joined' : 'not joined';
        return {
          ready: joined,
          alive,
          detail: `${membership}, ${partitions} partitions, ${inFlight} records in flight`,
        };
      });
    }
    return strategies.size > 0;
  }
}

async function certificateOf(config: ServiceConfig): Promise<TlsCertificate | undefined> {
  const { tlsCertFile, tlsKeyFile } = config;
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined;
  return TlsCertificate.read(tlsCertFile, tlsKeyFile);
}
