import {
  API_VERSION,
  apiKeySpec,
  eventTypeName,
  eventTypeSpec,
  resourceName,
  subscriptionSpec,
  type ApiKeyCredential,
  type ApiKeySpec,
  type ApiKeyStatus,
  type EventTypeSpec,
  type LadderStep,
  type Metadata,
  type Resource,
  type ResourceKind,
  type SubscriptionSecrets,
  type SubscriptionSpec,
  type SubscriptionStatus,
} from '@quittance/contracts';
import { checkEventType, checkSubscription } from '@quittance/catalog';
import type { ResourceRow } from '@quittance/persistence';
import * as z from 'zod';

/** One thing that is wrong with a resource; `path` is a JSON pointer, such as `/spec/events/0`. */
export interface Fault {
  path: string;
  message: string;
}

/** What sets one kind of resource apart from the others. Everything else is the same for all. */
export interface Kind {
  readonly kind: ResourceKind;
  /** In the path: `/control/v1/namespaces/{ns}/<segment>/{name}`. */
  readonly segment: string;
  readonly name: z.ZodType<string>;
  readonly spec: z.ZodType<object>;
  /** What a schema cannot say; `spec` has passed the schema. Pointers are relative to it. */
  check(spec: object, ladder: readonly LadderStep[]): Fault[];
  /** The row as it is published to `config.v1`. */
  resource(metadata: Metadata, row: ResourceRow): Resource;
}

const RESERVED_PREFIX = 'quittance.';

const eventTypes: Kind = {
  kind: 'EventType',
  segment: 'event-types',
  name: eventTypeName.refine((name) => !name.startsWith(RESERVED_PREFIX), {
    error: `must not begin with "${RESERVED_PREFIX}": the prefix is reserved for the platform's own events`,
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
    spec: row.spec as SubscriptionSpec,
    status: row.status as SubscriptionStatus,
    secrets: row.secrets as SubscriptionSecrets,
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
    credential: row.secrets as ApiKeyCredential,
    former: [],
  }),
};

/** The one table of kinds. */
export const KINDS: readonly Kind[] = [eventTypes, subscriptions, apiKeys];

export function kindOfSegment(segment: string): Kind | undefined {
  return KINDS.find((kind) => kind.segment === segment);
}

/** @throws RangeError for a kind that this release does not know */
export function kindNamed(name: string): Kind {
  const found = KINDS.find((kind) => kind.kind === name);
  if (!found) throw new RangeError(`This release knows no resources of the kind "${name}".`);
  return found;
}
