import { Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { KafkaAdmin, KafkaClient, KafkaPublisher } from '@quittance/kafka';
import {
  CONTROL_SCHEMA,
  Database,
  STORE_FAILURE_LOG,
  StoreErrorInterceptor,
  type StoreFailureLog,
} from '@quittance/persistence';
import {
  accessModule,
  apiDocumentModule,
  catalogueModule,
  kafkaModule,
  LOGGER,
  subscriptionStatesModule,
} from '@quittance/service';
import { SecretBox } from '@quittance/webhooks';
import type { Logger } from 'pino';
import { controlApi } from './api-document/control-api.js';
import { AsyncApiController, INGEST_URL } from './asyncapi/asyncapi.controller.js';
import { EventTypeReader } from './asyncapi/event-type-reader.js';
import type { ControlConfig } from './config.js';
import { KeyRevocation } from './keys/key-revocation.js';
import { KeyRotation } from './keys/key-rotation.js';
import { KeyController } from './keys/key.controller.js';
import { LastUse } from './keys/last-use.js';
import { RevocationClock } from './keys/revocation-clock.js';
import { RevocationRecorder } from './keys/revocation-recorder.js';
import { Lifecycle } from './lifecycle.js';
import { NamespaceController } from './namespaces/namespace.controller.js';
import { OutboxRepository } from './outbox/outbox.repository.js';
import { CATALOG_STALENESS_MS, Publication } from './outbox/publication.js';
import { RelayClock } from './outbox/relay-clock.js';
import { CONFIG_PUBLISHER, Relay } from './outbox/relay.js';
import { Births } from './resources/births.js';
import { Removals } from './resources/removals.js';
import { Replacements } from './resources/replacements.js';
import { ResourceViews } from './resources/resource-views.js';
import { ResourceWriter } from './resources/resource-writer.js';
import { ResourceController } from './resources/resource.controller.js';
import { ResourceRepository } from './resources/resource.repository.js';
import { RETRY_LADDER, ResourceService } from './resources/resource.service.js';
import { VerifierSecrets } from './sources/verifier-secrets.js';
import { ActionController } from './subscriptions/action.controller.js';
import { SecretController } from './subscriptions/secret.controller.js';
import { subscriptionProviders } from './subscriptions/subscription-providers.js';
import { SubscriptionViewController } from './subscriptions/view/subscription-view.controller.js';
import { viewProviders } from './subscriptions/view/view-providers.js';
import { trialProviders } from './trials/trial-providers.js';
import { TrialController } from './trials/trial.controller.js';

/** Below the 30 s after which Postgres ends a transaction that waits for its client, as the relay's does for Kafka. */
const PUBLISH_DEADLINE_MS = 10_000;

@Module({})
export class ControlModule {
  static of(config: ControlConfig): DynamicModule {
    return {
      module: ControlModule,
      imports: [
        kafkaModule(config, { clientId: 'quittance-control', publishDeadlineMs: PUBLISH_DEADLINE_MS }),
        catalogueModule(config, { compileSchemas: false }),
        subscriptionStatesModule(),
        accessModule(config),
        apiDocumentModule(controlApi),
      ],
      controllers: [
        SecretController,
        ActionController,
        SubscriptionViewController,
        KeyController,
        NamespaceController,
        TrialController,
        AsyncApiController,
        ResourceController,
      ],
      providers: [
        ResourceService,
        ResourceRepository,
        EventTypeReader,
        { provide: INGEST_URL, useValue: config.ingestUrl },
        ...trialProviders(config),
        ...viewProviders(config),
        ResourceWriter,
        ResourceViews,
        Births,
        Replacements,
        Removals,
        VerifierSecrets,
        KeyRotation,
        KeyRevocation,
        LastUse,
        RevocationClock,
        RevocationRecorder,
        ...subscriptionProviders(config),
        OutboxRepository,
        Relay,
        RelayClock,
        Publication,
        Lifecycle,
        { provide: RETRY_LADDER, useValue: config.retryLadder },
        { provide: CATALOG_STALENESS_MS, useValue: config.catalogStaleness },
        { provide: SecretBox, useFactory: () => new SecretBox([config.masterKey]) },
        { provide: CONFIG_PUBLISHER, useExisting: KafkaPublisher },
        { provide: APP_INTERCEPTOR, useClass: StoreErrorInterceptor },
        {
          provide: Database,
          inject: [LOGGER],
          useFactory: (logger: Logger) =>
            new Database({
              url: config.databaseUrl,
              ...CONTROL_SCHEMA,
              onHealth: (health) => logger[health.ready ? 'info' : 'warn'](`The database: ${health.detail}`),
            }),
        },
        {
          provide: STORE_FAILURE_LOG,
          inject: [LOGGER],
          useFactory:
            (logger: Logger): StoreFailureLog =>
            (error) =>
              logger.warn({ err: error }, 'a request failed for want of the database'),
        },
        {
          provide: KafkaAdmin,
          inject: [KafkaClient],
          useFactory: (client: KafkaClient) => new KafkaAdmin(client),
        },
      ],
    };
  }
}
