import { Module, type DynamicModule } from '@nestjs/common';
import { Catalogue, type ConfigSource } from '@quittance/catalog';
import {
  decodeEvent,
  decodeOutcome,
  encodeConfigChange,
  parseLadder,
  Topics,
  type ConfigChange,
  type EventRecord,
  type IncomingRecord,
  type Outcome,
  type OutgoingRecord,
} from '@quittance/contracts';
import { KafkaPublisher, type Published, type PublishError } from '@quittance/kafka';
import { createLogger, readConfig, Service } from '@quittance/service';
import { INGEST_CONFIG, ingestConfig, type IngestConfig } from './config.js';
import { EventsModule } from './events/events.module.js';
import { InboundModule } from './inbound/inbound.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { acceptRawBodies } from './raw-body.js';
import { RejectionsModule } from './rejections/rejections.module.js';
import type { RequestOrigin } from './rejections/request-origin.js';
import { apiKeyOf, eventTypeOf, MASTER_KEY } from './resources.fixture.js';

export const ADMIN_KEY = 'an-admin-key-for-specs';

/** `config.v1` as a list in memory, as a reader that has just confirmed it would show it. */
export class ListedConfig implements ConfigSource {
  readonly alive = true;
  isConfirmed = true;

  constructor(private readonly changes: ConfigChange[]) {}

  get confirmedAt(): number {
    return this.isConfirmed ? performance.now() : 1e-9;
  }

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    for (const [index, change] of this.changes.entries()) {
      onRecord(incoming(encodeConfigChange('config', change), index));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Stands where Kafka is: keeps what is published, or refuses it. */
class KeptRecords {
  /** Of `events.v1`. */
  readonly records: OutgoingRecord[] = [];
  readonly outcomes: Outcome[] = [];
  failure: PublishError | undefined;
  private readonly topics = new Topics();

  async publish(record: OutgoingRecord): Promise<Published> {
    if (this.failure) throw this.failure;
    if (record.topic === this.topics.outcomes) this.outcomes.push(decodeOutcome(incoming(record, 0)));
    else this.records.push(record);
    return { partition: 0, offset: BigInt(this.records.length) };
  }

  async publishAll(records: OutgoingRecord[]): Promise<Published[]> {
    return Promise.all(records.map((record) => this.publish(record)));
  }

  /** The events published since the last call. */
  take(): EventRecord[] {
    return this.records.splice(0).map((record) => decodeEvent(incoming(record, 0)));
  }
}

/** As it is read again. */
function incoming(record: OutgoingRecord, offset: number): IncomingRecord {
  const headers = Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(value)]);
  return {
    ...record,
    key: record.key === null ? null : Buffer.from(record.key),
    headers: Object.fromEntries(headers) as Record<string, Buffer>,
    partition: 0,
    offset: BigInt(offset),
    timestamp: 0,
  };
}

export async function catalogueOf(source: ListedConfig): Promise<Catalogue> {
  const catalogue = new Catalogue({ source, stalenessMs: 200, ladder: parseLadder('5s') });
  await catalogue.start();
  return catalogue;
}

@Module({})
class SpecModule {}

export interface IngestOptions {
  /** Further configuration, beside two keys and two event types of the namespace `shop`. */
  changes?: ConfigChange[];
  /** Further environment. */
  env?: Record<string, string>;
}

/** The whole of ingest on a port of its own: only Kafka is not there. */
export async function startIngest({ changes = [], env = {} }: IngestOptions = {}) {
  const publishKey = apiKeyOf('publisher', { scopes: ['publish'] });
  const readKey = apiKeyOf('reader', { scopes: ['read'] });
  const schema = {
    type: 'object',
    required: ['total'],
    properties: { total: { type: 'number' }, lines: { type: 'array', items: { type: 'string' } } },
  };
  const source = new ListedConfig([
    publishKey.change,
    readKey.change,
    eventTypeOf('free.form'),
    eventTypeOf('order.completed', { versions: [{ version: '1', schema }] }),
    ...changes,
    { change: 'snapshot', at: new Date(0).toISOString() },
  ]);
  const catalogue = await catalogueOf(source);
  const kafka = new KeptRecords();
  const config = readConfig(ingestConfig, {
    QUITTANCE_PORT: '0',
    QUITTANCE_MANAGEMENT_PORT: '0',
    QUITTANCE_ADMIN_KEY: ADMIN_KEY,
    QUITTANCE_MASTER_KEY: MASTER_KEY,
    ...env,
  });
  const module = (config: IngestConfig): DynamicModule => {
    const providers = [
      { provide: INGEST_CONFIG, useValue: config },
      { provide: Catalogue, useValue: catalogue },
      { provide: KafkaPublisher, useValue: kafka },
      { provide: Topics, useValue: new Topics() },
    ];
    return {
      module: SpecModule,
      global: true,
      imports: [LimitsModule, EventsModule, InboundModule, RejectionsModule],
      providers,
      exports: providers.map((p) => p.provide),
    };
  };
  const origins: (RequestOrigin | undefined)[] = [];
  const service = new Service({
    name: 'ingest',
    config,
    logger: createLogger({ service: 'ingest', version: '0', level: 'silent' }),
    module,
    configureHttp(fastify) {
      acceptRawBodies(fastify);
      fastify.addHook('onResponse', (request, _reply, done) => {
        origins.push(request.origin);
        done();
      });
    },
  });
  const addresses = await service.start();
  const baseUrl = `http://127.0.0.1:${addresses.port}`;
  const url = `${baseUrl}/v1/events`;
  return {
    baseUrl,
    url,
    managementUrl: `http://127.0.0.1:${addresses.managementPort}`,
    source,
    kafka,
    /** Of every request so far, in the order in which they were answered. */
    origins,
    publishKey: publishKey.key,
    readKey: readKey.key,
    close: () => service.close(),
    /** Posts with the publisher's key unless the headers say otherwise. */
    async post(body: string | Buffer, headers: Record<string, string> = {}) {
      const response = await fetch(url, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${publishKey.key}`, ...headers },
      });
      const answer = (await response.json()) as Record<string, unknown>;
      return { status: response.status, headers: response.headers, answer };
    },
    /** Sends to `/in/shop/<path>`, without any key. */
    async send(path: string, body: string | Buffer, headers: Record<string, string> = {}) {
      const response = await fetch(`${baseUrl}/in/shop/${path}`, { method: 'POST', body, headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
  };
}

export type Ingest = Awaited<ReturnType<typeof startIngest>>;
