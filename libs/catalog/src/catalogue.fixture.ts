import {
  API_VERSION,
  apiKeySpec,
  encodeConfigChange,
  eventTypeSpec,
  namespaceSpec,
  sourceSpec,
  subscriptionSpec,
  type ApiKeyCredential,
  type ApiKeyResource,
  type ConfigChange,
  type EventTypeResource,
  type FormerCredential,
  type IncomingRecord,
  type Metadata,
  type NamespaceResource,
  type SourceResource,
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

function metadataOf(name: string, namespace: string, uid = `uid-${name}`): Metadata {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    name,
    namespace,
    uid,
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
    status: { state: 'active', partition: 3, activation: 1 },
    secrets: { signing: ['sealed'], former: [], formerAsymmetric: [] },
  };
}

export function eventTypeOf(name: string, schema: Record<string, unknown> | boolean): EventTypeResource {
  return eventTypeWith(name, { versions: [{ version: '1', schema }] });
}

/** @param spec as a client writes it */
export function eventTypeWith(name: string, spec: Record<string, unknown>, uid?: string): EventTypeResource {
  return {
    apiVersion: API_VERSION,
    kind: 'EventType',
    metadata: metadataOf(name, 'shop', uid),
    spec: eventTypeSpec.parse(spec),
  };
}

/** @param spec as a client writes it; without `verify`, anybody may send */
export function sourceOf(name: string, spec: Record<string, unknown>, uid?: string): SourceResource {
  return {
    apiVersion: API_VERSION,
    kind: 'Source',
    metadata: metadataOf(name, 'shop', uid),
    spec: sourceSpec.parse({ verify: { type: 'none' }, ...spec }),
    secrets: { verify: [] },
  };
}

/** @param spec as a client writes it */
export function namespaceOf(name: string, spec: Record<string, unknown> = {}): NamespaceResource {
  return {
    apiVersion: API_VERSION,
    kind: 'Namespace',
    metadata: metadataOf(name, name),
    spec: namespaceSpec.parse(spec),
  };
}

export interface ApiKeyParts {
  uid?: string;
  /** Beside the scope `publish`. */
  spec?: Record<string, unknown>;
  former?: FormerCredential[];
  revokedAt?: string;
}

export function apiKeyOf(
  name: string,
  credential: ApiKeyCredential,
  parts: ApiKeyParts = {},
): ApiKeyResource {
  return {
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    metadata: metadataOf(name, 'shop', parts.uid),
    spec: apiKeySpec.parse({ scopes: ['publish'], ...parts.spec }),
    status: parts.revokedAt === undefined ? {} : { revokedAt: parts.revokedAt },
    credential,
    former: parts.former ?? [],
  };
}
