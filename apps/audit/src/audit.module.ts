import { Module, type DynamicModule } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Topics } from '@quittance/contracts';
import { STORE_FAILURE_LOG, type Database, type StoreFailureLog } from '@quittance/persistence';
import {
  accessModule,
  apiDocumentModule,
  catalogueModule,
  consumerProvider,
  kafkaModule,
  LOGGER,
  Metrics,
} from '@quittance/service';
import type { Logger } from 'pino';
import { auditApi } from './api-document/audit-api.js';
import type { AuditConfig } from './config.js';
import {
  LEDGER_DATABASE,
  ledgerDatabase,
  PRUNING_DATABASE,
  pruningDatabase,
  QUERY_DATABASE,
  queryDatabase,
} from './databases.js';
import { CONSUMER_GROUP, LedgerController } from './ledger/ledger.controller.js';
import { LedgerWriter } from './ledger/ledger-writer.js';
import { Lifecycle } from './lifecycle.js';
import { LedgerPruner } from './pruning/ledger-pruner.js';
import { DeliveryList } from './queries/delivery-list.js';
import { EventList } from './queries/event-list.js';
import { EventStory } from './queries/event-story.js';
import { QueryController } from './queries/query.controller.js';
import { RejectionController } from './rejections/rejection.controller.js';
import { RejectionRecords } from './rejections/rejection-records.js';
import { RetryController } from './retries/retry.controller.js';
import { RetryService } from './retries/retry.service.js';

/** A retry waits for Kafka inside a request, and inside a transaction that Postgres ends after 30 s. */
const PUBLISH_DEADLINE_MS = 5_000;

const GROUP = 'audit';

/** Records what happened, tells what became of each event, and forgets it in time. */
@Module({})
export class AuditModule {
  static of(config: AuditConfig): DynamicModule {
    return {
      module: AuditModule,
      imports: [
        kafkaModule(config, { clientId: 'quittance-audit', publishDeadlineMs: PUBLISH_DEADLINE_MS }),
        catalogueModule(config, { compileSchemas: false }),
        accessModule(config),
        apiDocumentModule(auditApi),
      ],
      controllers: [LedgerController, QueryController, RejectionController, RetryController],
      providers: [
        EventStory,
        EventList,
        DeliveryList,
        RejectionRecords,
        RetryService,
        Lifecycle,
        {
          provide: LEDGER_DATABASE,
          inject: [LOGGER],
          useFactory: (logger: Logger) => ledgerDatabase(config.databaseUrl, logger),
        },
        { provide: QUERY_DATABASE, useFactory: () => queryDatabase(config.databaseUrl) },
        {
          provide: LedgerWriter,
          inject: [LEDGER_DATABASE, Metrics, LOGGER],
          useFactory: (database: Database, metrics: Metrics, logger: Logger) =>
            new LedgerWriter(database, metrics, logger),
        },
        { provide: PRUNING_DATABASE, useFactory: () => pruningDatabase(config.databaseUrl) },
        {
          provide: LedgerPruner,
          inject: [PRUNING_DATABASE, Catalogue, Metrics, LOGGER],
          useFactory: (database: Database, catalogue: Catalogue, metrics: Metrics, logger: Logger) =>
            new LedgerPruner(database, catalogue, metrics, logger),
        },
        {
          provide: STORE_FAILURE_LOG,
          inject: [LOGGER],
          useFactory:
            (logger: Logger): StoreFailureLog =>
            (error) =>
              logger.warn({ err: error }, 'a request failed for want of the database'),
        },
        { provide: CONSUMER_GROUP, inject: [Topics], useFactory: (topics: Topics) => topics.group(GROUP) },
        consumerProvider(config, (topics) => [
          {
            groupId: topics.group(GROUP),
            sources: [
              { pattern: 'events', topics: [topics.events] },
              { pattern: 'outcomes', topics: [topics.outcomes] },
            ],
          },
        ]),
      ],
    };
  }
}
