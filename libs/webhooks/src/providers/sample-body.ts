import type { SourceVerify } from '@quittance/contracts';

/** What a provider typically sends, before it is signed. */
export interface SampleBody {
  body: Buffer;
  contentType: string;
  /** What the provider says beside the body, such as `x-github-event`; names in lower case. */
  headers: Record<string, string>;
}

/** When it happened, and as which delivery. */
interface Occasion {
  nowMs: number;
  deliveryId: string;
}

/**
 * A small request as the provider sends it; for the schemes of no particular provider, a JSON object with `type`, `id`,
 * `timestamp` and `data`. Where the provider's delivery id is in the body, it is `deliveryId`.
 * @param occasion `nowMs` in epoch milliseconds
 */
export function sampleBody(verify: SourceVerify, occasion: Occasion): SampleBody {
  switch (verify.type) {
    case 'stripe':
      return json(stripeEvent(occasion));
    case 'github':
      return json(GITHUB_PUSH, { 'x-github-event': 'push', 'x-github-hook-id': '292430182' });
    case 'shopify':
      return json(shopifyOrder(occasion), {
        'x-shopify-topic': 'orders/create',
        'x-shopify-shop-domain': 'sample-shop.myshopify.com',
        'x-shopify-api-version': '2026-04',
        'x-shopify-triggered-at': timeOf(occasion),
      });
    case 'slack':
      return json(slackEvent(occasion));
    case 'standard-webhooks':
    case 'hmac':
    case 'bearer':
    case 'basic':
    case 'api-key':
    case 'none':
      return json({
        type: 'sample.created',
        id: occasion.deliveryId,
        timestamp: timeOf(occasion),
        data: { id: 'sample_1', status: 'created' },
      });
  }
}

function json(body: unknown, headers: Record<string, string> = {}): SampleBody {
  return { body: Buffer.from(JSON.stringify(body)), contentType: 'application/json', headers };
}

function timeOf({ nowMs }: Occasion): string {
  return new Date(nowMs).toISOString();
}

function secondsOf({ nowMs }: Occasion): number {
  return Math.floor(nowMs / 1000);
}

function stripeEvent(occasion: Occasion): unknown {
  const created = secondsOf(occasion);
  return {
    id: occasion.deliveryId,
    object: 'event',
    api_version: '2026-03-25.dahlia',
    created,
    data: {
      object: {
        id: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
        object: 'payment_intent',
        amount: 2000,
        amount_received: 2000,
        created,
        currency: 'eur',
        livemode: false,
        metadata: { order: '1001' },
        status: 'succeeded',
      },
    },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: 'payment_intent.succeeded',
  };
}

const OCTOCAT = { name: 'octocat', email: 'octocat@example.com' };
const GITHUB_PUSH = {
  ref: 'refs/heads/main',
  before: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
  after: '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c',
  created: false,
  deleted: false,
  forced: false,
  compare: 'https://github.com/octocat/hello-world/compare/6113728f27ae...0d1a26e67d8f',
  commits: [
    {
      id: '0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c',
      message: 'Say hello',
      timestamp: '2026-01-15T10:00:00+01:00',
      author: OCTOCAT,
      added: [],
      removed: [],
      modified: ['README.md'],
    },
  ],
  repository: {
    id: 1296269,
    name: 'hello-world',
    full_name: 'octocat/hello-world',
    private: false,
    html_url: 'https://github.com/octocat/hello-world',
    default_branch: 'main',
  },
  pusher: OCTOCAT,
  sender: { login: 'octocat', id: 583231, type: 'User' },
};

function shopifyOrder(occasion: Occasion): unknown {
  return {
    id: 8209829119461,
    admin_graphql_api_id: 'gid://shopify/Order/8209829119461',
    name: '#1001',
    order_number: 1001,
    email: 'jon@example.com',
    created_at: timeOf(occasion),
    currency: 'EUR',
    financial_status: 'paid',
    subtotal_price: '99.00',
    total_price: '120.50',
    line_items: [{ id: 866550311766439, title: 'Teapot', sku: 'TEA-1', quantity: 1, price: '99.00' }],
    customer: { id: 115310627314723, first_name: 'Jon', last_name: 'Snow' },
    test: true,
  };
}

function slackEvent(occasion: Occasion): unknown {
  const seconds = secondsOf(occasion);
  return {
    team_id: 'T0001SAMPLE',
    api_app_id: 'A0001SAMPLE',
    event: {
      type: 'app_mention',
      user: 'U0001SAMPLE',
      text: '<@U0002SAMPLE> what is new?',
      ts: `${seconds}.000100`,
      channel: 'C0001SAMPLE',
      event_ts: `${seconds}.000100`,
    },
    type: 'event_callback',
    event_id: occasion.deliveryId,
    event_time: seconds,
    authorizations: [{ team_id: 'T0001SAMPLE', user_id: 'U0002SAMPLE', is_bot: true }],
  };
}
