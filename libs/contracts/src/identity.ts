import { hash } from 'node:crypto';

/** What makes an event the same event: repeating it is harmless. */
export interface EventIdentity {
  namespace: string;
  source: string;
  id: string;
}

/**
 * A field's length stands before it, so that no two lists of fields hash the same bytes. In one go: an object that is
 * fed piece by piece costs several times the hash.
 */
function digest(domain: string, fields: readonly string[]): string {
  let text = `${domain}\n`;
  for (const field of fields) text += `${Buffer.byteLength(field)}:${field}`;
  return hash('sha256', text, 'base64url');
}

/** `dlv_` + 27 characters (160 bits). The same for every retry and replay; sent as `webhook-id`. */
export function deliveryIdOf(event: EventIdentity, subscriptionUid: string): string {
  return `dlv_${digest('delivery', [event.namespace, event.source, event.id, subscriptionUid]).slice(0, 27)}`;
}

/** The event id that follows from an `Idempotency-Key`; in a batch, each event's index makes its own. */
export function eventIdOfIdempotencyKey(namespace: string, key: string, index?: number): string {
  const id = `evt_${digest('idempotency-key', [namespace, key]).slice(0, 27)}`;
  return index === undefined ? id : `${id}-${index}`;
}

/**
 * The event id of an inbound webhook whose delivery id nobody signed: with the body's bytes, so that nobody can make
 * another body pass for a repetition.
 */
export function eventIdOfUnsignedDelivery(sourceUid: string, deliveryId: string, body: Buffer): string {
  const bodyHash = hash('sha256', body, 'base64url');
  return `evt_${digest('inbound', [sourceUid, deliveryId, bodyHash]).slice(0, 27)}`;
}

/** The key of a record on `events.v1`. */
export function eventRecordKey(namespace: string, idOrPartitionKey: string): string {
  return `${namespace}/${idOrPartitionKey}`;
}

/** The key of a record that belongs to a subscription. */
export function subscriptionKey(namespace: string, subscription: string): string {
  return `${namespace}/${subscription}`;
}
