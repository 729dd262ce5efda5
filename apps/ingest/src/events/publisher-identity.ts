import { requireScope, type Principal } from '@quittance/catalog';
import { eventIdOfIdempotencyKey, Problem, resourceName } from '@quittance/contracts';
import type { IncomingHttpHeaders } from 'node:http';
import { uuidv7 } from 'uuidv7';
import type { ContentMode } from './content-mode.js';
import type { ReadingContext } from '../publishing/received-event.js';

const IDEMPOTENCY_KEY = /^[\u0021-\u007e]{1,255}$/;

/**
 * The namespace that is published to: a key's own; the admin names one in `Quittance-Namespace`.
 * @throws Problem
 */
export function namespaceOf(principal: Principal, headers: IncomingHttpHeaders): string {
  const named = headers['quittance-namespace'];
  const namespace = named ?? principal.namespace;
  if (namespace === undefined) {
    throw new Problem('malformed_request', 'The admin key needs the header "Quittance-Namespace".');
  }
  if (typeof namespace !== 'string' || !resourceName.safeParse(namespace).success) {
    throw new Problem(
      'malformed_request',
      'The header "Quittance-Namespace" is not the name of a namespace.',
    );
  }
  requireScope(principal, namespace, 'publish');
  return namespace;
}

/**
 * Ids for events that have none: from `Idempotency-Key`, so that a repetition gets the same ones; without it, plain
 * events get a UUIDv7, and CloudEvents must have an id.
 * @throws Problem when the key is too long or not printable
 */
export function readingContext(
  namespace: string,
  mode: ContentMode,
  headers: IncomingHttpHeaders,
): ReadingContext {
  const key = headers['idempotency-key'];
  if (key === undefined) return { namespace, newId: () => (mode === 'plain' ? uuidv7() : undefined) };
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new Problem(
      'malformed_request',
      'An "Idempotency-Key" has 1 to 255 printable ASCII characters, no spaces.',
    );
  }
  return { namespace, newId: (index) => eventIdOfIdempotencyKey(namespace, key, index) };
}
