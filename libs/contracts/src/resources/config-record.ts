import * as z from 'zod';
import { UnreadableRecordError, type IncomingRecord, type OutgoingRecord } from '../kafka-record.js';
import { apiKeyCredential, apiKeySpec, apiKeyStatus, formerCredential } from './api-key.js';
import { eventTypeSpec } from './event-type.js';
import { API_VERSION, metadata } from './metadata.js';
import { namespaceSpec } from './namespace.js';
import { sourceSecrets, sourceSpec } from './source.js';
import { subscriptionSecrets, subscriptionSpec, subscriptionStatus } from './subscription.js';

const base = { apiVersion: z.literal(API_VERSION), metadata };

const eventType = z.object({ ...base, kind: z.literal('EventType'), spec: eventTypeSpec });
const subscription = z.object({
  ...base,
  kind: z.literal('Subscription'),
  spec: subscriptionSpec,
  status: subscriptionStatus,
  /** Never leaves through an API. */
  secrets: subscriptionSecrets,
});
const apiKey = z.object({
  ...base,
  kind: z.literal('ApiKey'),
  spec: apiKeySpec,
  status: apiKeyStatus.prefault({}),
  /** Never leaves through an API. */
  credential: apiKeyCredential,
  /** Rotated away, newest first; never leaves through an API either. */
  former: z.array(formerCredential).default([]),
});
const source = z.object({
  ...base,
  kind: z.literal('Source'),
  spec: sourceSpec,
  /** Never leaves through an API. */
  secrets: sourceSecrets,
});
/** Of a namespace both `metadata.name` and `metadata.namespace` are its name. */
const namespace = z.object({ ...base, kind: z.literal('Namespace'), spec: namespaceSpec });
/**
 * An emergency revocation, published without Postgres. It names the key's uid, so that it outlives every later record of
 * that key, and says nothing of another key of the same name.
 */
const apiKeyRevocation = z.object({
  kind: z.literal('ApiKeyRevocation'),
  namespace: z.string(),
  /** Of the API key. */
  name: z.string(),
  uid: z.string(),
  /** RFC 3339. */
  revokedAt: z.string(),
  /** Who revoked it: `admin`, or `api-key:<namespace>/<name>`. */
  actor: z.string(),
});
/** Control has published everything it knew at `at`. Nobody is ready before having read one. */
const snapshot = z.object({ kind: z.literal('Snapshot'), at: z.string() });

const resource = z.discriminatedUnion('kind', [eventType, subscription, apiKey, source, namespace]);
const configValue = z.discriminatedUnion('kind', [...resource.options, apiKeyRevocation, snapshot]);

export type EventTypeResource = z.infer<typeof eventType>;
export type SubscriptionResource = z.infer<typeof subscription>;
export type ApiKeyResource = z.infer<typeof apiKey>;
export type SourceResource = z.infer<typeof source>;
export type NamespaceResource = z.infer<typeof namespace>;
export type ApiKeyRevocation = Omit<z.infer<typeof apiKeyRevocation>, 'kind'>;
/** A resource as it stands on `config.v1`, sealed secrets included. */
export type Resource = z.infer<typeof resource>;
export type ResourceKind = Resource['kind'];

/** One record of `config.v1`. */
export type ConfigChange =
  | { change: 'put'; resource: Resource }
  | { change: 'delete'; kind: ResourceKind; namespace: string; name: string }
  | { change: 'revoke'; revocation: ApiKeyRevocation }
  /** The revocation stands in the key's own record by now, or the key is gone. */
  | { change: 'settle-revocation'; namespace: string; uid: string }
  | { change: 'snapshot'; at: string };

export const RESOURCE_KINDS = [
  'EventType',
  'Subscription',
  'ApiKey',
  'Source',
  'Namespace',
] as const satisfies readonly ResourceKind[];

export function configKey(
  kind: ResourceKind | 'ApiKeyRevocation' | 'Snapshot',
  namespace: string,
  name: string,
): string {
  return `${kind}/${namespace}/${name}`;
}

export function encodeConfigChange(topic: string, change: ConfigChange): OutgoingRecord {
  switch (change.change) {
    case 'put': {
      const { kind, metadata } = change.resource;
      return {
        topic,
        key: configKey(kind, metadata.namespace, metadata.name),
        value: Buffer.from(JSON.stringify(change.resource)),
        headers: {},
      };
    }
    case 'delete':
      return { topic, key: configKey(change.kind, change.namespace, change.name), value: null, headers: {} };
    case 'revoke': {
      const { namespace, uid } = change.revocation;
      return {
        topic,
        key: configKey('ApiKeyRevocation', namespace, uid),
        value: Buffer.from(JSON.stringify({ kind: 'ApiKeyRevocation', ...change.revocation })),
        headers: {},
      };
    }
    case 'settle-revocation':
      return {
        topic,
        key: configKey('ApiKeyRevocation', change.namespace, change.uid),
        value: null,
        headers: {},
      };
    case 'snapshot':
      return {
        topic,
        key: configKey('Snapshot', '-', '-'),
        value: Buffer.from(JSON.stringify({ kind: 'Snapshot', at: change.at })),
        headers: {},
      };
  }
}

/**
 * @returns `undefined` for a kind that this release does not know: a later release wrote it
 * @throws UnreadableRecordError when a known kind does not parse
 */
export function decodeConfigChange(record: Pick<IncomingRecord, 'key' | 'value'>): ConfigChange | undefined {
  const [kind, namespace, ...rest] = (record.key?.toString() ?? '').split('/');
  const name = rest.join('/');
  if (kind === undefined || namespace === undefined || name === '') {
    throw new UnreadableRecordError('The record has no key of the form Kind/namespace/name.');
  }
  const isKnown = (RESOURCE_KINDS as readonly string[]).includes(kind);
  if (!isKnown && kind !== 'ApiKeyRevocation' && kind !== 'Snapshot') return undefined;
  if (record.value === null) {
    if (kind === 'ApiKeyRevocation') return { change: 'settle-revocation', namespace, uid: name };
    return isKnown ? { change: 'delete', kind: kind as ResourceKind, namespace, name } : undefined;
  }
  try {
    const value = configValue.parse(JSON.parse(record.value.toString()));
    if (value.kind === 'Snapshot') return { change: 'snapshot', at: value.at };
    if (value.kind === 'ApiKeyRevocation') {
      const { kind: _kind, ...revocation } = value;
      return { change: 'revoke', revocation };
    }
    return { change: 'put', resource: value };
  } catch (error) {
    throw new UnreadableRecordError(`The record "${kind}/${namespace}/${name}" does not parse.`, {
      cause: error,
    });
  }
}
