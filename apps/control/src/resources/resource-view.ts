import {
  API_VERSION,
  type Metadata,
  type Resource,
  type ResourceCondition,
  type ResourceView,
  type SubscriptionResource,
} from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import { keyStatusOf, type KeyFacts } from '../keys/key-status.js';
import type { SubscriptionFacts } from '../subscriptions/view/standing.js';
import { standingViewOf } from '../subscriptions/view/subscription-status.js';
import { kindNamed } from './kinds.js';

/** What is known of resources beside their rows. */
export interface ViewFacts {
  readonly keys: KeyFacts;
  subscription(resource: SubscriptionResource): SubscriptionFacts;
}

export function metadataOf(row: ResourceRow): Metadata {
  return {
    name: row.name,
    namespace: row.namespace,
    uid: row.uid,
    labels: row.labels,
    annotations: row.annotations,
    generation: row.generation,
    resourceVersion: row.resourceVersion,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** The row as it is published, sealed secrets included. */
export function resourceOf(row: ResourceRow): Resource {
  return kindNamed(row.kind).resource(metadataOf(row), row);
}

const NOT_PUBLISHED =
  'The change is stored, and will be published as soon as Kafka can be reached. Until then services work with the state before.';

/** The resource as clients see it. Secrets are left out by never being copied. */
export function viewOf(resource: Resource, isPublished: boolean, facts: ViewFacts): ResourceView {
  const condition: ResourceCondition = isPublished
    ? { type: 'Published', status: 'True' }
    : { type: 'Published', status: 'False', message: NOT_PUBLISHED };
  const { kind, metadata, spec } = resource;
  return {
    apiVersion: API_VERSION,
    kind,
    metadata,
    spec,
    status: { ...statusOf(resource, facts), conditions: [condition] },
  };
}

function statusOf(resource: Resource, facts: ViewFacts): Record<string, unknown> {
  switch (resource.kind) {
    case 'EventType':
    case 'Namespace':
      return {};
    case 'Subscription':
      return standingViewOf(facts.subscription(resource));
    case 'ApiKey':
      return keyStatusOf(resource, facts.keys, Date.now());
    case 'Source': {
      const { namespace, name } = resource.metadata;
      return { path: `/in/${namespace}/${name}`, secrets: resource.secrets.verify.length };
    }
  }
}

/**
 * What the audit log keeps: what an API would have shown, without what passes.
 * @param secretsChanged names of the secrets that were set or dropped
 */
export function auditViewOf(row: ResourceRow, secretsChanged: readonly string[] = []): object {
  return {
    metadata: metadataOf(row),
    spec: row.spec,
    ...(row.status && { status: row.status }),
    ...(secretsChanged.length > 0 && { secretsChanged }),
  };
}
