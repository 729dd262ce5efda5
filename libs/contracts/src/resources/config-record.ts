import * as z from 'zod';
import { UnreadableRecordError, type IncomingRecord, type OutgoingRecord } from '../kafka-record.js';
import { apiKeyCredential, apiKeySpec } from './api-key.js';
import { eventTypeSpec } from './event-type.js';
import { API_VERSION, metadata } from './metadata.js';
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
  /** Never leaves through an API. */
  credential: apiKeyCredential,
});
/** Control has published everything it knew at `at`. Nobody is ready before having read one. */
const snapshot = z.object({ kind: z.literal('Snapshot'), at: z.string() });

const resource = z.discriminatedUnion('kind', [eventType, subscription, apiKey]);
const configValue = z.discriminatedUnion('kind', [eventType, subscription, apiKey, snapshot]);

export type EventTypeResource = z.infer<typeof eventType>;
export type SubscriptionResource = z.infer<typeof subscription>;
export type ApiKeyResource = z.infer<typeof apiKey>;
/** A resource as it stands on `config.v1`, sealed secrets included. */
export type Resource = z.infer<typeof resource>;
export type ResourceKind = Resource['kind'];

/** One record of `config.v1`. */
export type ConfigChange =
  | { change: 'put'; resource: Resource }
  | { change: 'delete'; kind: ResourceKind; namespace: string; name: string }
  | { change: 'snapshot'; at: string };

export const RESOURCE_KINDS = [
  'EventType',
  'Subscription',
  'ApiKey',
] as const satisfies readonly ResourceKind[];

export function configKey(kind: ResourceKind | 'Snapshot', namespace: string, name: string): string {
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
  if (!isKnown && kind !== 'Snapshot') return undefined;
  if (record.value === null)
    return isKnown ? { change: 'delete', kind: kind as ResourceKind, namespace, name } : undefined;
  try {
    const value = configValue.parse(JSON.parse(record.value.toString()));
    if (value.kind === 'Snapshot') return { change: 'snapshot', at: value.at };
    return { change: 'put', resource: value };
  } catch (error) {
    throw new UnreadableRecordError(`The record "${kind}/${namespace}/${name}" does not parse.`, {
      cause: error,
    });
  }
}
