import { randomBytes, randomUUID } from 'node:crypto';
import { decodeConfigChange, Topics, type ConfigChange, type OutgoingRecord } from '@quittance/contracts';
import { KafkaAdmin, KafkaClient, KafkaPublisher, readTopic } from '@quittance/kafka';
import { createLogger, readConfig, Service } from '@quittance/service';
import { waitUntil } from '@quittance/testing';
import { Client } from 'pg';
import { controlConfig, setupConfig, type ControlConfig } from '../../apps/control/src/config.js';
import { ControlModule } from '../../apps/control/src/control.module.js';
import { setUp } from '../../apps/control/src/setup/setup.js';

export const ADMIN_KEY = 'a-long-admin-key-for-tests';
export const DELIVERIES_PARTITIONS = 4;

export interface Answer {
  status: number;
  headers: Headers;
  // What a client reads is JSON of any shape; the tests say what they expect of it.
  body: Record<string, unknown> & { metadata: Record<string, unknown>; status: Record<string, unknown> };
}

export interface Stores {
  kafkaBrokers: string;
  /** A superuser's, on any database. */
  postgresAdminUrl: string;
}

/** A control service with topics and a database of its own. */
export class ControlFixture {
  readonly report: string[] = [];
  readonly topics: Topics;
  private readonly env: NodeJS.ProcessEnv;
  private readonly setupEnv: NodeJS.ProcessEnv;
  private service: Service<ControlConfig> | undefined;
  private origin = '';

  /** @param env further environment of the service */
  constructor(
    private readonly stores: Stores,
    env: Record<string, string> = {},
  ) {
    const id = randomUUID().slice(0, 8);
    const urlOf = (role?: string): string => {
      const url = new URL(stores.postgresAdminUrl);
      url.pathname = `/control-${id}`;
      if (role !== undefined) {
        url.username = `${role}-${id}`;
        url.password = role;
      }
      return url.href;
    };
    const shared = {
      QUITTANCE_KAFKA_BROKERS: stores.kafkaBrokers,
      QUITTANCE_TOPIC_PREFIX: `control-${id}.`,
    };
    this.setupEnv = {
      ...shared,
      QUITTANCE_DATABASE_URL: urlOf(),
      QUITTANCE_CONTROL_DATABASE_URL: urlOf('control'),
      QUITTANCE_AUDIT_DATABASE_URL: urlOf('audit'),
      QUITTANCE_DELIVERIES_PARTITIONS: String(DELIVERIES_PARTITIONS),
      QUITTANCE_EVENTS_PARTITIONS: '1',
      QUITTANCE_RETRY_PARTITIONS: '1',
      QUITTANCE_REPLICATION_FACTOR: '1',
      QUITTANCE_MIN_INSYNC_REPLICAS: '1',
    };
    this.env = {
      ...shared,
      QUITTANCE_PORT: '0',
      QUITTANCE_MANAGEMENT_PORT: '0',
      QUITTANCE_LOG_LEVEL: 'silent',
      QUITTANCE_ADMIN_KEY: ADMIN_KEY,
      QUITTANCE_MASTER_KEY: randomBytes(32).toString('base64'),
      QUITTANCE_DATABASE_URL: urlOf('control'),
      ...env,
    };
    this.topics = new Topics(shared.QUITTANCE_TOPIC_PREFIX);
  }

  async createDatabase(): Promise<void> {
    const client = new Client(this.stores.postgresAdminUrl);
    await client.connect();
    const { pathname } = new URL(this.setupEnv['QUITTANCE_DATABASE_URL']!);
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(pathname.slice(1))}`);
    await client.end();
  }

  async setUp(): Promise<string[]> {
    const lines: string[] = [];
    await setUp(readConfig(setupConfig, this.setupEnv), (line) => lines.push(line));
    return lines;
  }

  async start(): Promise<void> {
    const config = readConfig(controlConfig, this.env);
    this.service = new Service<ControlConfig>({
      name: 'control',
      config,
      logger: createLogger({ service: 'control', version: 'test', level: config.logLevel }),
      module: (parsed) => ControlModule.of(parsed),
      configureHttp: (fastify) => fastify.removeContentTypeParser('text/plain'),
    });
    const { port } = await this.service.start();
    this.origin = `http://127.0.0.1:${port}`;
  }

  get isReady(): boolean {
    return this.service?.health.report().ready ?? false;
  }

  async untilReady(): Promise<void> {
    await waitUntil(() => this.isReady, { what: 'control to be ready' });
  }

  async stop(): Promise<void> {
    await this.service?.close();
    this.service = undefined;
  }

  /** @param path below `/control/v1/namespaces/`; that itself where it is empty or begins with `?` */
  async request(
    method: string,
    path: string,
    body?: unknown,
    options: { key?: string | null; contentType?: string } = {},
  ): Promise<Answer> {
    const { key = ADMIN_KEY, contentType = 'application/json' } = options;
    const slash = /^(\?|$)/.test(path) ? '' : '/';
    const response = await fetch(`${this.origin}/control/v1/namespaces${slash}${path}`, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': contentType }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer['body'],
    };
  }

  post(path: string, body?: unknown, key?: string): Promise<Answer> {
    return this.request('POST', path, body, key === undefined ? {} : { key });
  }

  put(path: string, body: unknown, key?: string): Promise<Answer> {
    return this.request('PUT', path, body, key === undefined ? {} : { key });
  }

  get(path: string, key?: string): Promise<Answer> {
    return this.request('GET', path, undefined, key === undefined ? {} : { key });
  }

  delete(path: string, key?: string): Promise<Answer> {
    return this.request('DELETE', path, undefined, key === undefined ? {} : { key });
  }

  /** Everything that was ever written to `config.v1`. */
  async changes(): Promise<(ConfigChange | undefined)[]> {
    const records = await readTopic(this.kafkaClient(), this.topics.config);
    return records.map((record) => decodeConfigChange(record));
  }

  /** As another service would write them. */
  async publish(...records: OutgoingRecord[]): Promise<void> {
    const publisher = new KafkaPublisher(this.kafkaClient());
    await publisher.connect();
    await publisher.publishAll(records);
    await publisher.close();
  }

  /** What stands in `subscription-state.v1` under a key at last; `null` after a removal. */
  async stateUnder(key: string): Promise<Buffer | null | undefined> {
    const records = await readTopic(this.kafkaClient(), this.topics.subscriptionState);
    return records.findLast((record) => record.key?.toString() === key)?.value;
  }

  async growDeliveries(partitions: number): Promise<void> {
    const admin = new KafkaAdmin(this.kafkaClient());
    await admin.growTopic(this.topics.deliveries, partitions);
    await admin.close();
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client(this.setupEnv['QUITTANCE_DATABASE_URL']);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  private kafkaClient(): KafkaClient {
    return new KafkaClient({ brokers: [this.stores.kafkaBrokers], clientId: 'test' });
  }
}
