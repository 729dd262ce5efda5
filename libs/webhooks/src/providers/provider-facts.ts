import type { IncomingHttpHeaders } from 'node:http';
import { eventTypeName, type SourceVerify } from '@quittance/contracts';
import { isDeliveryId } from '../verification/signed-id.js';

/** What a provider's request says of itself, in the provider's own way. */
export interface ProviderFacts {
  /** The event's type, such as `stripe.invoice.paid`; left out where the request names none that can be a type. */
  type?: string;
  /**
   * The same for each repetition of a delivery: 1 to 512 visible ASCII characters. What is not `signed` can be changed
   * by whoever saw the request once.
   */
  deliveryId?: { value: string; signed: boolean };
}

/**
 * @param headers names in lower case
 * @param body the parsed body; of any shape
 * @returns never fails: what cannot be told is left out
 */
export function providerFacts(
  verify: SourceVerify,
  headers: IncomingHttpHeaders,
  body: unknown,
): ProviderFacts {
  switch (verify.type) {
    case 'stripe':
      return facts(prefixed('stripe', member(body, 'type')), member(body, 'id'), true);
    case 'github':
      return facts(
        prefixed('github', header(headers, 'x-github-event')),
        header(headers, 'x-github-delivery'),
      );
    case 'shopify': {
      const topic = header(headers, 'x-shopify-topic')?.replaceAll('/', '.');
      return facts(prefixed('shopify', topic), header(headers, 'x-shopify-webhook-id'));
    }
    case 'slack': {
      const type = member(member(body, 'event'), 'type') ?? member(body, 'type');
      return facts(prefixed('slack', type), member(body, 'event_id'), true);
    }
    case 'standard-webhooks':
      return facts(member(body, 'type'), header(headers, 'webhook-id'), true);
    case 'hmac': {
      const id = verify.id && header(headers, verify.id.header.toLowerCase());
      return facts(undefined, id, verify.content.includes('{id}'));
    }
    case 'bearer':
    case 'basic':
    case 'api-key':
    case 'none':
      return {};
  }
}

function facts(type: unknown, deliveryId: unknown, signed = false): ProviderFacts {
  const name = eventTypeName.safeParse(type);
  return {
    ...(name.success && { type: name.data }),
    ...(isDeliveryId(deliveryId) && { deliveryId: { value: deliveryId, signed } }),
  };
}

function prefixed(provider: string, type: unknown): string | undefined {
  return typeof type === 'string' && type !== '' ? `${provider}.${type}` : undefined;
}

/** Only what the sender wrote: never what every object inherits. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = member(headers, name);
  return typeof value === 'string' ? value : undefined;
}
