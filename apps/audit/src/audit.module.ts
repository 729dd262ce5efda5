import { Module, type DynamicModule } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Topics } from '@quittance/contracts';
import { KafkaAdmin, KafkaClient } from '@quittance/kafka';
import { STORE_FAILURE_LOG, type Database, type StoreFailureLog } from '@quittance/persistence';
import {
  accessModule,
  apiDocumentModule,
  catalogueModule,
  consumerProvider,
  kafkaModule,
  LOGGER,
  Metrics,
  subscriptionStatesModule,
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
  REPLAY_DATABASE,
  replayDatabase,
} from './databases.js';
import { CONSUMER_GROUP, LedgerController } from './ledger/ledger.controller.js';
import { LedgerWriter } from './ledger/ledger-writer.js';
import { Lifecycle } from './lifecycle.js';
import { LedgerPruner } from './pruning/ledger-pruner.js';
import { DeliveryList } from './queries/delivery-list.js';
import { DeliverySummaries } from './queries/delivery-summary.js';
import { EventList } from './queries/event-list.js';
import { EventStory } from './queries/event-story.js';
import { QueryController } from './queries/query.controller.js';
import { RejectionController } from './rejections/rejection.controller.js';
import { RejectionRecords } from './rejections/rejection-records.js';
import { EventReplay } from './replays/event-replay.js';
import { HeldWatch, PROBE_INTERVAL } from './replays/held-watch.js';
import { LedgerProgress } from './replays/ledger-progress.js';
import { ReplayController } from './replays/replay.controller.js';
import { ReplayRunner } from './replays/replay-runner.js';
import { ReplayService } from './replays/replay.service.js';
import { ReplaySteps } from './replays/replay-steps.js';
import { Standings } from './replays/standings.js';
import { RetryController } from './retries/retry.controller.js';
import { RetryService } from './retries/retry.service.js';

/** A retry waits for Kafka inside a request, and inside a transaction that Postgres ends after 30 s. */
const PUBLISH_DEADLINE_MS = 5_000;

const GROUP = 'audit';
/** The ledger gathers records anyway: a fetch for every few of them only costs. Alone they are this much later. */
const MIN_FETCH_BYTES = 64 * 1024;
const MAX_FETCH_WAIT_MS = 50;

/** Records what happened, tells what became of each event, sends it again, and forgets it in time. */
@Module({})
export class AuditModule {
  static of(config: AuditConfig): DynamicModule {
    return {
      module: AuditModule,
      imports: [
        kafkaModule(config, { clientId: 'quittance-audit', publishDeadlineMs: PUBLISH_DEADLINE_MS }),
        catalogueModule(config, { compileSchemas: false }),
        subscriptionStatesModule(),
        accessModule(config),
        apiDocumentModule(auditApi),
      ],
      controllers: [
        LedgerController,
        QueryController,
        RejectionController,
        ReplayController,
        RetryController,
      ],
      providers: [
        EventStory,
        EventList,
        DeliveryList,
        DeliverySummaries,
        RejectionRecords,
        RetryService,
        EventReplay,
        Standings,
        ReplaySteps,
        ReplayRunner,
        ReplayService,
        HeldWatch,
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
        { provide: REPLAY_DATABASE, useFactory: () => replayDatabase(config.databaseUrl) },
        { provide: PROBE_INTERVAL, useValue: config.probeInterval },
        {
          provide: KafkaAdmin,
          inject: [KafkaClient],
          useFactory: (client: KafkaClient) => new KafkaAdmin(client),
        },
        {
          provide: LedgerProgress,
          inject: [KafkaAdmin, Topics, CONSUMER_GROUP],
          useFactory: (admin: KafkaAdmin, topics: Topics, group: string) =>
            new LedgerProgress(admin, topics, group),
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
            minBytes: MIN_FETCH_BYTES,
            maxWaitTimeMs: MAX_FETCH_WAIT_MS,
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
