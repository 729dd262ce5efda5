import type { ResourceKind } from '@quittance/contracts';

/** A name and a body of each kind, as somebody would put them: in the order of this list they all work. */
export const EXAMPLES: Record<ResourceKind, { name: string; body: object }> = {
  Namespace: {
    name: 'shop',
    body: {
      spec: {
        description: 'The web shop.',
        limits: { rateLimit: { rate: 500, burst: 2000 } },
        retention: { events: '90d' },
      },
    },
  },
  EventType: {
    name: 'order.completed',
    body: {
      spec: {
        description: 'An order was paid.',
        versions: [
          {
            version: '1',
            schema: { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] },
            examples: [{ total: 120.5 }],
          },
        ],
      },
    },
  },
  Subscription: {
    name: 'billing',
    body: {
      spec: {
        events: ['order.*'],
        filter: 'event.data.total > 100.0',
        destination: { webhook: { url: 'http://127.0.0.1:9000/hook', timeout: '15s' } },
        delivery: { concurrency: 32, retry: { schedule: [] } },
      },
    },
  },
  Source: {
    name: 'payments',
    body: {
      spec: { description: 'Stripe.', verify: { type: 'stripe', tolerance: '5m' } },
      secrets: { verify: ['the-secret-that-stripe-shows'] },
    },
  },
  ApiKey: {
    name: 'checkout',
    body: { spec: { description: 'The checkout.', scopes: ['publish'] } },
  },
};
