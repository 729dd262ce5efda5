import type { Catalogue, CompiledVersion } from '@quittance/catalog';
import { RESERVED_TYPE_PREFIX, type Deprecation } from '@quittance/contracts';
import { EventError } from './event-error.js';
import type { ReceivedEvent } from './received-event.js';

/** The extension attribute that names the version of the type's schema. */
const SCHEMA_VERSION = 'schemaversion';

/**
 * Checks an event against the catalogue, and stamps it with the version of the schema that it was checked against.
 * @returns what is on its way out: the type, that version, or both
 * @throws EventError
 */
export function admit(
  catalogue: Pick<Catalogue, 'eventType' | 'namespace'>,
  namespace: string,
  event: ReceivedEvent,
): Deprecation[] {
  const { type, extensions } = event.attributes;
  if (type.startsWith(RESERVED_TYPE_PREFIX)) {
    throw new EventError('forbidden', [{ path: '/type', message: `the type "${type}" is reserved` }]);
  }
  const eventType = catalogue.eventType(namespace, type);
  if (!eventType) {
    if (catalogue.namespace(namespace).catalog.policy === 'open') return [];
    throw new EventError('unknown_event_type', [
      { path: '/type', message: `the namespace "${namespace}" has no event type "${type}"` },
    ]);
  }
  const { versions, deprecated } = eventType.resource.spec;
  const deprecations = deprecated ? [deprecated] : [];
  if (versions.length === 0) return deprecations;
  const named = extensions[SCHEMA_VERSION];
  const version = eventType.version(named);
  if (!version) {
    throw new EventError('unknown_schema_version', [
      { path: `/${SCHEMA_VERSION}`, message: `the type "${type}" has no version "${named}"` },
    ]);
  }
  assertValid(version, event);
  extensions[SCHEMA_VERSION] = version.name;
  if (version.deprecated) deprecations.push(version.deprecated);
  return deprecations;
}

function assertValid(version: CompiledVersion, { data, value }: ReceivedEvent): void {
  if (value === undefined) {
    const message = data === null ? 'there is no data, but the type has a schema' : 'the data is not JSON';
    throw new EventError('schema_mismatch', [{ path: '/data', message }]);
  }
  const violations = version.validate(value, data?.length);
  if (violations.length === 0) return;
  throw new EventError(
    'schema_mismatch',
    violations.map(({ path, message }) => ({ path: `/data${path}`, message })),
  );
}
