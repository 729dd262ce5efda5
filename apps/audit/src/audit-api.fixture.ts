import {
  Catalogue,
  generateApiKey,
  SubscriptionStates,
  type KeyCatalogue,
  type KnownApiKey,
} from '@quittance/catalog';
import {
  API_VERSION,
  DEFAULT_NAMESPACE,
  Topics,
  type ApiKeyResource,
  type ApiKeyScope,
  type OutgoingRecord,
} from '@quittance/contracts';
import { KafkaPublisher, PublishError, type Published } from '@quittance/kafka';
import { STORE_FAILURE_LOG } from '@quittance/persistence';
import {
  accessModule,
  createLogger,
  defineConfig,
  Metrics,
  portVariable,
  readConfig,
  Service,
  type ServiceConfig,
} from '@quittance/service';
import { QUERY_DATABASE, REPLAY_DATABASE } from './databases.js';
import { startLedgerDatabase, type LedgerDatabase } from './ledger/ledger-database.fixture.js';
import { LedgerWriter } from './ledger/ledger-writer.js';
import { T0 } from './ledger/story.fixture.js';
import { DeliveryList } from './queries/delivery-list.js';
import { DeliverySummaries } from './queries/delivery-summary.js';
import { EventList } from './queries/event-list.js';
import { EventStory } from './queries/event-story.js';
import { QueryController } from './queries/query.controller.js';
import type { DeliveryStory, EventStoryView } from './queries/views.js';
import { RejectionController } from './rejections/rejection.controller.js';
import { RejectionRecords } from './rejections/rejection-records.js';
import { EventReplay, type ReplayCatalogue } from './replays/event-replay.js';
import { KnownSubscriptions } from './replays/known-subscriptions.fixture.js';
import { LedgerProgress } from './replays/ledger-progress.js';
import { ReplayController } from './replays/replay.controller.js';
import { ReplayRunner } from './replays/replay-runner.js';
import { ReplayService } from './replays/replay.service.js';
import { ReplaySteps } from './replays/replay-steps.js';
import { Standings } from './replays/standings.js';
import { RetryController } from './retries/retry.controller.js';
import { RetryService } from './retries/retry.service.js';

const ADMIN = 'an-admin-key-for-specs';
const REVISION = 17;

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** The API over HTTP on a Postgres of its own; only Kafka is not there: what is published lands in a list. */
export class AuditApi {
  /** What retries wrote. */
  readonly published: OutgoingRecord[] = [];
  kafkaIsDown = false;
  /** Happens before what is published is acknowledged. */
  whilePublishing = (): Promise<void> => Promise.resolve();
  private readonly keys = new Map<string, ApiKeyResource>();
  private readonly service: Service<ServiceConfig>;
  readonly writer: LedgerWriter;
  private base = '';

  private constructor(
    readonly database: LedgerDatabase,
    readonly subscriptions: KnownSubscriptions,
  ) {
    const logger = createLogger({ service: 'audit', version: '0', level: 'silent' });
    this.writer = new LedgerWriter(database.pool, new Metrics('audit'), logger, { pauseMs: 0 });
    const keys: KeyCatalogue & { ready: boolean } = {
      ready: true,
      apiKey: (id) => this.knownKey(id),
      isFresh: () => true,
      whenFresh: () => Promise.resolve(),
    };
    const { catalogue, states } = subscriptions;
    const known: ReplayCatalogue &
      Pick<Catalogue, 'subscription' | 'subscriptionsFor' | 'isSubscriptionReadable'> = {
      revision: REVISION,
      namespace: () => DEFAULT_NAMESPACE,
      subscription: (namespace, name) => catalogue.subscription(namespace, name),
      isSubscriptionReadable: (namespace, name) => catalogue.isSubscriptionReadable(namespace, name),
      subscriptionsFor: (namespace, type) => catalogue.subscriptionsFor(namespace, type),
    };
    const outside = {
      module: class OutsideModule {},
      global: true,
      providers: [
        { provide: Catalogue, useValue: { ...keys, ...known } },
        { provide: SubscriptionStates, useValue: states },
        {
          provide: KafkaPublisher,
          useValue: { publishAll: (records: OutgoingRecord[]) => this.publish(records) },
        },
        { provide: Topics, useValue: new Topics() },
      ],
      exports: [Catalogue, SubscriptionStates, KafkaPublisher, Topics],
    };
    this.service = new Service<ServiceConfig>({
      name: 'audit',
      config: readConfig(
        defineConfig({ QUITTANCE_PORT: portVariable(0), QUITTANCE_MANAGEMENT_PORT: portVariable(0) }),
        { QUITTANCE_HOST: '127.0.0.1' },
      ),
      logger,
      configureHttp: () => undefined,
      module: () => ({
        module: class AuditApiModule {},
        imports: [outside, accessModule({ adminKey: ADMIN })],
        controllers: [QueryController, RejectionController, ReplayController, RetryController],
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
          {
            provide: LedgerProgress,
            useValue: { fence: () => Promise.resolve({}), hasReached: () => Promise.resolve(true) },
          },
          { provide: REPLAY_DATABASE, useValue: database.pool },
          { provide: QUERY_DATABASE, useValue: database.pool },
          { provide: STORE_FAILURE_LOG, useValue: () => undefined },
        ],
      }),
    });
  }

  static async start(): Promise<AuditApi> {
    const api = new AuditApi(await startLedgerDatabase(), await KnownSubscriptions.open());
    const { port } = await api.service.start();
    api.base = `http://127.0.0.1:${port}/audit/v1/namespaces/shop`;
    return api;
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.database.remove();
  }

  /** @param path below `/audit/v1/namespaces/shop/` */
  async call<T>(
    path: string,
    { method = 'GET', key = ADMIN, json }: { method?: string; key?: string; json?: unknown } = {},
  ): Promise<Answer<T>> {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(json !== undefined && { 'content-type': 'application/json' }),
    };
    const body = json === undefined ? {} : { body: JSON.stringify(json) };
    const response = await fetch(`${this.base}/${path}`, { method, headers, ...body });
    return { status: response.status, headers: response.headers, body: (await response.json()) as T };
  }

  async deliveryOf(event: string, subscription: string): Promise<DeliveryStory | undefined> {
    const { body } = await this.call<EventStoryView>(`events/${event}`);
    return body.deliveries.find((delivery) => delivery.subscription === subscription);
  }

  newKey(name: string, namespace: string, scopes: ApiKeyScope[]): string {
    const { key, credential } = generateApiKey();
    const createdAt = new Date(T0).toISOString();
    this.keys.set(credential.id, {
      apiVersion: API_VERSION,
      kind: 'ApiKey',
      metadata: {
        name,
        namespace,
        uid: `uid-${name}`,
        labels: {},
        annotations: {},
        generation: 1,
        resourceVersion: '1',
        createdAt,
        updatedAt: createdAt,
      },
      spec: { description: '', scopes },
      status: {},
      credential,
      former: [],
    });
    return key;
  }

  private knownKey(id: string): KnownApiKey | undefined {
    const resource = this.keys.get(id);
    return resource && { resource, credential: resource.credential, revoked: false };
  }

  private async publish(records: readonly OutgoingRecord[]): Promise<Published[]> {
    if (this.kafkaIsDown) throw new PublishError('kafka_unavailable', 'Kafka is gone.');
    const from = this.published.push(...records) - records.length;
    await this.whilePublishing();
    return records.map((_record, index) => ({ partition: 0, offset: BigInt(from + index) }));
  }
}
