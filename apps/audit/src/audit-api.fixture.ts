import {
  Catalogue,
  generateApiKey,
  type CompiledSubscription,
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
import { KafkaPublisher, PublishError } from '@quittance/kafka';
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
import { QUERY_DATABASE } from './databases.js';
import { startLedgerDatabase, type LedgerDatabase } from './ledger/ledger-database.fixture.js';
import { LedgerWriter } from './ledger/ledger-writer.js';
import { T0 } from './ledger/story.fixture.js';
import { DeliveryList } from './queries/delivery-list.js';
import { EventList } from './queries/event-list.js';
import { EventStory } from './queries/event-story.js';
import { QueryController } from './queries/query.controller.js';
import type { DeliveryStory, EventStoryView } from './queries/views.js';
import { RejectionController } from './rejections/rejection.controller.js';
import { RejectionRecords } from './rejections/rejection-records.js';
import { RetryController } from './retries/retry.controller.js';
import { RetryService, type Subscriptions } from './retries/retry.service.js';

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
  /** Name → uid. */
  readonly subscriptions = new Map<string, string>();
  private readonly keys = new Map<string, ApiKeyResource>();
  private readonly service: Service<ServiceConfig>;
  readonly writer: LedgerWriter;
  private base = '';

  private constructor(readonly database: LedgerDatabase) {
    const logger = createLogger({ service: 'audit', version: '0', level: 'silent' });
    this.writer = new LedgerWriter(database.pool, new Metrics('audit'), logger, { pauseMs: 0 });
    const keys: KeyCatalogue & { ready: boolean } = {
      ready: true,
      apiKey: (id) => this.knownKey(id),
      isFresh: () => true,
      whenFresh: () => Promise.resolve(),
    };
    const subscriptions: Subscriptions = {
      revision: REVISION,
      namespace: () => DEFAULT_NAMESPACE,
      subscription: (_namespace, name) => {
        const uid = this.subscriptions.get(name);
        return uid === undefined ? undefined : ({ resource: { metadata: { uid } } } as CompiledSubscription);
      },
    };
    const outside = {
      module: class OutsideModule {},
      global: true,
      providers: [
        { provide: Catalogue, useValue: { ...keys, ...subscriptions } },
        {
          provide: KafkaPublisher,
          useValue: { publish: (record: OutgoingRecord) => this.publish(record) },
        },
        { provide: Topics, useValue: new Topics() },
      ],
      exports: [Catalogue, KafkaPublisher, Topics],
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
        controllers: [QueryController, RejectionController, RetryController],
        providers: [
          EventStory,
          EventList,
          DeliveryList,
          RejectionRecords,
          RetryService,
          { provide: QUERY_DATABASE, useValue: database.pool },
          { provide: STORE_FAILURE_LOG, useValue: () => undefined },
        ],
      }),
    });
  }

  static async start(): Promise<AuditApi> {
    const api = new AuditApi(await startLedgerDatabase());
    const { port } = await api.service.start();
    api.base = `http://127.0.0.1:${port}/audit/v1/namespaces/shop`;
    return api;
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.database.remove();
  }

  /** @param path below `/audit/v1/namespaces/shop/` */
  async call<T>(path: string, { method = 'GET', key = ADMIN } = {}): Promise<Answer<T>> {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${this.base}/${path}`, { method, headers });
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

  private async publish(record: OutgoingRecord): Promise<{ partition: number; offset: bigint }> {
    if (this.kafkaIsDown) throw new PublishError('kafka_unavailable', 'Kafka is gone.');
    this.published.push(record);
    await this.whilePublishing();
    return { partition: 0, offset: BigInt(this.published.length) };
  }
}
