import type { Catalogue } from '@quittance/catalog';
import { EventError } from './event-error.js';
import type { ReceivedEvent } from './received-event.js';

/** Types of the system's own events; nobody else may publish them. */
const RESERVED_PREFIX = 'quittance.';

/**
 * Checks an event against the catalogue.
 * @throws EventError
 */
export function assertAllowed(
  catalogue: Pick<Catalogue, 'eventType'>,
  namespace: string,
  event: ReceivedEvent,
): void {
  const { type } = event.attributes;
  if (type.startsWith(RESERVED_PREFIX)) {
    throw new EventError('forbidden', [{ path: '/type', message: `the type "${type}" is reserved` }]);
  }
  const eventType = catalogue.eventType(namespace, type);
  if (!eventType) {
    throw new EventError('unknown_event_type', [
      { path: '/type', message: `the namespace "${namespace}" has no event type "${type}"` },
    ]);
  }
  if (eventType.version === undefined) return;
  if (event.value === undefined) {
    const message =
      event.data === null ? 'there is no data, but the type has a schema' : 'the data is not JSON';
    throw new EventError('schema_mismatch', [{ path: '/data', message }]);
  }
  const violations = eventType.validate(event.value, event.data?.length);
  if (violations.length > 0) {
    throw new EventError(
      'schema_mismatch',
      violations.map(({ path, message }) => ({ path: `/data${path}`, message })),
    );
  }
}
