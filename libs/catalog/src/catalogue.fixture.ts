import {
  API_VERSION,
  apiKeySpec,
  encodeConfigChange,
  eventTypeSpec,
  subscriptionSpec,
  type ApiKeyCredential,
  type ApiKeyResource,
  type ConfigChange,
  type EventTypeResource,
  type IncomingRecord,
  type Metadata,
  type SubscriptionResource,
} from '@quittance/contracts';
import type { ConfigSource } from './config-source.js';

/** A `config.v1` in memory. Fresh for as long as `confirmed` says. */
export class MemoryConfigSource implements ConfigSource {
  confirmedAt = Infinity;
  alive = true;
  private readonly stored: IncomingRecord[] = [];
  private onRecord: ((record: IncomingRecord) => void) | undefined;

  start(onRecord: (record: IncomingRecord) => void): Promise<void> {
    for (const record of this.stored) onRecord(record);
    this.onRecord = onRecord;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.alive = false;
    return Promise.resolve();
  }

  /** @returns the change's offset */
  put(change: ConfigChange): number {
    const { key, value } = encodeConfigChange('config.v1', change);
    return this.write(key === null ? null : Buffer.from(key), value);
  }

  write(key: Buffer | null, value: Buffer | null): number {
    const offset = this.stored.length;
    const record: IncomingRecord = {
      topic: 'config.v1',
      partition: 0,
      offset: BigInt(offset),
      timestamp: 0,
      key,
      value,
      headers: {},
    };
    this.stored.push(record);
    this.onRecord?.(record);
    return offset;
  }
}

function metadataOf(name: string, namespace: string): Metadata {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    name,
    namespace,
    uid: `uid-${name}`,
    labels: {},
    annotations: {},
    generation: 1,
    resourceVersion: '1',
    createdAt: at,
    updatedAt: at,
  };
}

/** @param spec as a client writes it; the destination is filled in */
export function subscriptionOf(
  name: string,
  spec: Record<string, unknown>,
  namespace = 'shop',
): SubscriptionResource {
  return {
    apiVersion: API_VERSION,
    kind: 'Subscription',
    metadata: metadataOf(name, namespace),
    spec: subscriptionSpec.parse({ destination: { webhook: { url: 'http://127.0.0.1:9000/' } }, ...spec }),
    status: { state: 'active', partition: 3 },
    secrets: { signing: ['sealed'] },
  };
}

export function eventTypeOf(name: string, schema: Record<string, unknown> | boolean): EventTypeResource {
  return {
    apiVersion: API_VERSION,
    kind: 'EventType',
    metadata: metadataOf(name, 'shop'),
    spec: eventTypeSpec.parse({ versions: [{ version: '1', schema, examples: [] }] }),
  };
}

export function apiKeyOf(name: string, credential: ApiKeyCredential, scopes = ['publish']): ApiKeyResource {
  return {
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    metadata: metadataOf(name, 'shop'),
    spec: apiKeySpec.parse({ scopes }),
    status: {},
    credential,
    former: [],
  };
}
