import {
  API_VERSION,
  subscriptionSpec,
  type SubscriptionResource,
  type SubscriptionState,
  type SubscriptionStatus,
} from '@quittance/contracts';
import type { SubscriptionFacts } from './standing.js';

export const NOW = Date.parse('2026-11-23T12:00:00Z');

export interface Known {
  /** As a client writes it, without events and destination. */
  spec?: Record<string, unknown>;
  status?: Partial<SubscriptionStatus>;
  learnt?: Partial<SubscriptionState>;
  sharedWith?: number;
  holdMs?: number;
}

/** The subscription `shop/billing`, with its home on partition 3. */
export function resourceOf({ spec, status }: Known = {}): SubscriptionResource {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    apiVersion: API_VERSION,
    kind: 'Subscription',
    metadata: {
      name: 'billing',
      namespace: 'shop',
      uid: 'uid-1',
      labels: {},
      annotations: {},
      generation: 1,
      resourceVersion: '1',
      createdAt: at,
      updatedAt: at,
    },
    spec: subscriptionSpec.parse({
      events: ['order.*'],
      destination: { webhook: { url: 'http://127.0.0.1:9000/' } },
      ...spec,
    }),
    status: { state: 'active', partition: 3, activation: 1, ...status },
    secrets: { signing: ['sealed'], former: [], formerAsymmetric: [] },
  };
}

/** What is known of it at `NOW`. */
export function factsOf(known: Known = {}): SubscriptionFacts {
  const resource = resourceOf(known);
  const { namespace, name, uid } = resource.metadata;
  return {
    resource,
    learnt: known.learnt && {
      namespace,
      subscription: name,
      uid,
      activation: 1,
      at: NOW,
      ...known.learnt,
    },
    sharedWith: known.sharedWith ?? 0,
    holdMs: known.holdMs ?? 3 * 86_400_000,
    now: NOW,
  };
}

/** @param time of the day of `NOW`, or a whole RFC 3339 time */
export function at(time: string): number {
  return Date.parse(time.includes('T') ? time : `2026-11-23T${time}Z`);
}

export const refused = {
  at: at('11:59:00'),
  code: 'connection_refused',
  message: 'connect ECONNREFUSED 127.0.0.1:9000',
  status: null,
  deliveryId: 'dlv_1',
};
export const unavailable = { ...refused, code: 'http_status', message: 'The answer was 503.', status: 503 };
