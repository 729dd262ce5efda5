import { checkEventType, checkSource, checkSubscription } from '@quittance/catalog';
import {
  API_VERSION,
  apiKeySpec,
  eventTypeName,
  eventTypeSpec,
  namespaceSpec,
  RESERVED_TYPE_PREFIX,
  resourceName,
  sourceSecretsInput,
  sourceSpec,
  subscriptionSpec,
  type ApiKeySpec,
  type ApiKeyStatus,
  type EventTypeSpec,
  type LadderStep,
  type Metadata,
  type NamespaceSpec,
  type Resource,
  type ResourceKind,
  type SourceSecrets,
  type SourceSpec,
  type SubscriptionSpec,
} from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import * as z from 'zod';
import type { KeyCredentials } from '../keys/key-credentials.js';
import { subscriptionPartsOf } from '../subscriptions/subscription-row.js';

/** One thing that is wrong with a resource; `path` is a JSON pointer, such as `/spec/events/0`. */
export interface Fault {
  path: string;
  message: string;
}

/** What sets one kind of resource apart from the others. Everything else is the same for all. */
export interface Kind {
  readonly kind: ResourceKind;
  /** In the path: `/control/v1/namespaces/{ns}/<segment>/{name}`. Missing where a kind has a path of its own. */
  readonly segment?: string;
  readonly name: z.ZodType<string>;
  readonly spec: z.ZodType<object>;
  /** What a client may put in `secrets`, beside `spec`, and is never shown. Kinds without it refuse the member. */
  readonly secrets?: z.ZodType<object>;
  /** What a schema cannot say; `spec` has passed the schema. Pointers are relative to it. */
  check(spec: object, ladder: readonly LadderStep[]): Fault[];
  /** The row as it is published to `config.v1`. */
  resource(metadata: Metadata, row: ResourceRow): Resource;
}

const eventTypes: Kind = {
  kind: 'EventType',
  segment: 'event-types',
  name: eventTypeName.refine((name) => !name.startsWith(RESERVED_TYPE_PREFIX), {
    error: `must not begin with "${RESERVED_TYPE_PREFIX}": the prefix is reserved for the platform's own events`,
  }),
  spec: eventTypeSpec,
  check: (spec) => checkEventType(spec as EventTypeSpec),
  resource: (metadata, row) => ({
    apiVersion: API_VERSION,
    kind: 'EventType',
    metadata,
    spec: row.spec as EventTypeSpec,
  }),
};

const subscriptions: Kind = {
  kind: 'Subscription',
  segment: 'subscriptions',
  name: resourceName,
  spec: subscriptionSpec,
  check: (spec, ladder) => checkSubscription(spec as SubscriptionSpec, ladder),
  resource: (metadata, row) => ({
    apiVersion: API_VERSION,
    kind: 'Subscription',
    metadata,
    ...subscriptionPartsOf(row),
  }),
};

const apiKeys: Kind = {
  kind: 'ApiKey',
  segment: 'api-keys',
  name: resourceName,
  spec: apiKeySpec,
  check: () => [],
  resource: (metadata, row) => ({
    apiVersion: API_VERSION,
    kind: 'ApiKey',
    metadata,
    spec: row.spec as ApiKeySpec,
    status: (row.status ?? {}) as ApiKeyStatus,
    ...(row.secrets as KeyCredentials),
  }),
};

const sources: Kind = {
  kind: 'Source',
  segment: 'sources',
  name: resourceName,
  spec: sourceSpec,
  secrets: sourceSecretsInput,
  check: (spec) => checkSource(spec as SourceSpec),
  resource: (metadata, row) => ({
    apiVersion: API_VERSION,
    kind: 'Source',
    metadata,
    spec: row.spec as SourceSpec,
    secrets: row.secrets as SourceSecrets,
  }),
};

const namespaces: Kind = {
  kind: 'Namespace',
  name: resourceName,
  spec: namespaceSpec,
  check: () => [],
  resource: (metadata, row) => ({
    apiVersion: API_VERSION,
    kind: 'Namespace',
    metadata,
    spec: row.spec as NamespaceSpec,
  }),
};

/** The one table of kinds. */
export const KINDS: readonly Kind[] = [eventTypes, subscriptions, apiKeys, sources, namespaces];

export function kindOfSegment(segment: string): Kind | undefined {
  return KINDS.find((kind) => kind.segment === segment);
}

/** @throws RangeError for a kind that this release does not know */
export function kindNamed(name: string): Kind {
  const found = KINDS.find((kind) => kind.kind === name);
  if (!found) throw new RangeError(`This release knows no resources of the kind "${name}".`);
  return found;
}
