import { Module, type DynamicModule } from '@nestjs/common';
import { Catalogue, generateApiKey, type ConfigSource } from '@quittance/catalog';
import {
  API_VERSION,
  decodeEvent,
  encodeConfigChange,
  parseLadder,
  Topics,
  type ApiKeyScope,
  type ConfigChange,
  type EventRecord,
  type IncomingRecord,
  type Metadata,
  type OutgoingRecord,
} from '@quittance/contracts';
import { KafkaPublisher, type Published, type PublishError } from '@quittance/kafka';
import { createLogger, readConfig, Service } from '@quittance/service';
import { INGEST_CONFIG, ingestConfig, type IngestConfig } from '../config.js';
import { EventsModule } from './events.module.js';
import { acceptRawBodies } from './raw-body.js';

export const ADMIN_KEY = 'an-admin-key-for-specs';

/** `config.v1` as a list in memory, as a reader that has just confirmed it would show it. */
class ListedConfig implements ConfigSource {
  readonly alive = true;
  isConfirmed = true;

  constructor(private readonly changes: ConfigChange[]) {}

  get confirmedAt(): number {
    return this.isConfirmed ? performance.now() : 1e-9;
  }

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    for (const [index, change] of this.changes.entries()) {
      const { key, value } = encodeConfigChange('config', change);
      const offset = BigInt(index);
      onRecord({
        topic: 'config',
        partition: 0,
        offset,
        timestamp: 0,
        key: key === null ? null : Buffer.from(key),
        value,
        headers: {},
      });
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Stands where Kafka is: keeps what is published, or refuses it. */
class KeptRecords {
  readonly records: OutgoingRecord[] = [];
  failure: PublishError | undefined;
  private keep = true;

  forget(): void {
    this.keep = false;
  }

  async publish(record: OutgoingRecord): Promise<Published> {
    if (this.failure) throw this.failure;
    if (this.keep) this.records.push(record);
    return { partition: 0, offset: BigInt(this.records.length) };
  }

  async publishAll(records: OutgoingRecord[]): Promise<Published[]> {
    return Promise.all(records.map((record) => this.publish(record)));
  }

  /** The events published since the last call. */
  take(): EventRecord[] {
    return this.records.splice(0).map((record) => {
      const headers = Object.fromEntries(
        Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(value)]),
      );
      const key = record.key === null ? null : Buffer.from(record.key);
      return decodeEvent({ ...record, key, headers, partition: 0, offset: 0n, timestamp: 0 });
    });
  }
}

@Module({})
class SpecModule {}

function metadataOf(namespace: string, name: string): Metadata {
  const at = new Date(0).toISOString();
  return {
    name,
    namespace,
    uid: `${namespace}-${name}`,
    labels: {},
    annotations: {},
    generation: 1,
    resourceVersion: '1',
    createdAt: at,
    updatedAt: at,
  };
}

function eventType(name: string, schema?: Record<string, unknown>): ConfigChange {
  return {
    change: 'put',
    resource: {
      apiVersion: API_VERSION,
      kind: 'EventType',
      metadata: metadataOf('shop', name),
      spec: { description: '', versions: schema ? [{ version: '1', schema, examples: [] }] : [] },
    },
  };
}

function apiKey(name: string, scopes: ApiKeyScope[]): { key: string; change: ConfigChange } {
  const { key, credential } = generateApiKey();
  return {
    key,
    change: {
      change: 'put',
      resource: {
        apiVersion: API_VERSION,
        kind: 'ApiKey',
        metadata: metadataOf('shop', name),
        spec: { description: '', scopes },
        status: {},
        credential,
        former: [],
      },
    },
  };
}

/** The whole of ingest on a port of its own: only Kafka is not there. */
export async function startIngest() {
  const publishKey = apiKey('publisher', ['publish']);
  const readKey = apiKey('reader', ['read']);
  const source = new ListedConfig([
    publishKey.change,
    readKey.change,
    eventType('free.form'),
    eventType('order.completed', {
      type: 'object',
      required: ['total'],
      properties: { total: { type: 'number' }, lines: { type: 'array', items: { type: 'string' } } },
    }),
    { change: 'snapshot', at: new Date(0).toISOString() },
  ]);
  const catalogue = new Catalogue({ source, stalenessMs: 200, ladder: parseLadder('5s') });
  await catalogue.start();
  const kafka = new KeptRecords();
  const config = readConfig(ingestConfig, {
    QUITTANCE_PORT: '0',
    QUITTANCE_MANAGEMENT_PORT: '0',
    QUITTANCE_ADMIN_KEY: ADMIN_KEY,
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
      imports: [EventsModule],
      providers,
      exports: providers.map((p) => p.provide),
    };
  };
  const service = new Service({
    name: 'ingest',
    config,
    logger: createLogger({ service: 'ingest', version: '0', level: 'silent' }),
    module,
    configureHttp: acceptRawBodies,
  });
  const addresses = await service.start();
  const url = `http://127.0.0.1:${addresses.port}/v1/events`;
  return {
    url,
    managementUrl: `http://127.0.0.1:${addresses.managementPort}`,
    source,
    kafka,
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
  };
}

export type Ingest = Awaited<ReturnType<typeof startIngest>>;
