import { API_VERSION, type Metadata, type ResourceCondition, type ResourceView } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import { kindNamed } from './kinds.js';

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

const NOT_PUBLISHED =
  'The change is stored, and will be published as soon as Kafka can be reached. Until then services work with the state before.';

/** The resource as clients see it. Secrets are left out by never being copied. */
export function viewOf(row: ResourceRow, isPublished: boolean): ResourceView {
  const condition: ResourceCondition = isPublished
    ? { type: 'Published', status: 'True' }
    : { type: 'Published', status: 'False', message: NOT_PUBLISHED };
  return {
    apiVersion: API_VERSION,
    kind: kindNamed(row.kind).kind,
    metadata: metadataOf(row),
    spec: row.spec,
    status: { ...row.status, conditions: [condition] },
  };
}

/** What the audit log keeps: what an API would have shown, without what passes. */
export function auditViewOf(row: ResourceRow): object {
  return { metadata: metadataOf(row), spec: row.spec, ...(row.status && { status: row.status }) };
}
