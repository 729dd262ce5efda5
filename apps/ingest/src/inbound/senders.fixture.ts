import { sign as signForGitHub } from '@octokit/webhooks-methods';
import type { SourceVerify } from '@quittance/contracts';
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Stripe } from 'stripe';

type Headers = Record<string, string>;

/** A third party: how a source verifies it, and how it makes its requests, by its own library where there is one. */
export interface Sender {
  name: string;
  verify: SourceVerify;
  secret: string;
  otherSecret: string;
  body: string;
  /** Without the proof. */
  headers: Headers;
  /** The headers that are the proof. */
  sign(body: string, secret: string, seconds: number): Headers | Promise<Headers>;
  /** Whether the time is signed, and the body is. */
  signs: { time: boolean; body: boolean };
  /** What the event is called. */
  type: string;
  id: RegExp;
}

const JSON_TYPE: Headers = { 'content-type': 'application/json' };
const SECRETS = { secret: 'a-secret-of-the-sender', otherSecret: 'another-secret-of-it' };
const DERIVED = /^evt_[\w-]{27}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7/;

const hmac = (algorithm: string, secret: string, encoding: 'hex' | 'base64', ...parts: string[]): string => {
  const digest = createHmac(algorithm, secret);
  for (const part of parts) digest.update(part);
  return digest.digest(encoding);
};

export const SENDERS: Sender[] = [
  {
    name: 'stripe',
    verify: { type: 'stripe', tolerance: '5m' },
    secret: 'whsec_c2VjcmV0LW9mLXN0cmlwZQ',
    otherSecret: 'whsec_YW5vdGhlci1vbmU',
    body: '{\n  "id": "evt_1",\n  "type": "invoice.paid", "data": {"total": 1.50}\n}',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    sign: (payload, secret, timestamp) => ({
      'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp }),
    }),
    signs: { time: true, body: true },
    type: 'stripe.invoice.paid',
    id: /^evt_1$/,
  },
  {
    name: 'github',
    verify: { type: 'github' },
    ...SECRETS,
    body: '{"action":"opened", "number":7}',
    headers: { ...JSON_TYPE, 'x-github-event': 'pull_request', 'x-github-delivery': 'd-1' },
    sign: async (body, secret) => ({ 'x-hub-signature-256': await signForGitHub(secret, body) }),
    signs: { time: false, body: true },
    type: 'github.pull_request',
    id: DERIVED,
  },
  {
    name: 'shopify',
    verify: { type: 'shopify' },
    ...SECRETS,
    body: '{"id":820982911946154508,"total_price":"20.00"}',
    headers: { ...JSON_TYPE, 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': 'w-1' },
    sign: (body, secret) => ({ 'x-shopify-hmac-sha256': hmac('sha256', secret, 'base64', body) }),
    signs: { time: false, body: true },
    type: 'shopify.orders.create',
    id: DERIVED,
  },
  {
    name: 'slack',
    verify: { type: 'slack', tolerance: '5m' },
    ...SECRETS,
    body: '{"type":"event_callback","event_id":"Ev1","event":{"type":"app_mention"}}',
    headers: JSON_TYPE,
    sign: (body, secret, seconds) => ({
      'x-slack-request-timestamp': String(seconds),
      'x-slack-signature': `v0=${hmac('sha256', secret, 'hex', `v0:${seconds}:`, body)}`,
    }),
    signs: { time: true, body: true },
    type: 'slack.app_mention',
    id: /^Ev1$/,
  },
  {
    name: 'standard-webhooks',
    verify: { type: 'standard-webhooks', tolerance: '5m' },
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    otherSecret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
    body: '{"type":"invoice.paid","timestamp":"2026-01-01T00:00:00Z","data":{}}',
    headers: JSON_TYPE,
    sign: (body, secret, seconds) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(seconds),
      'webhook-signature': new Webhook(secret).sign('msg_1', new Date(seconds * 1000), body),
    }),
    signs: { time: true, body: true },
    type: 'invoice.paid',
    id: /^msg_1$/,
  },
  {
    name: 'hmac',
    verify: {
      type: 'hmac',
      header: 'X-Signature',
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'v=',
      content: '{id}.{timestamp}.{body}',
      secretEncoding: 'utf8',
      timestamp: { header: 'X-Time', unit: 'ms', tolerance: '1m' },
      id: { header: 'X-Id' },
    },
    ...SECRETS,
    body: '{"a":1}',
    headers: JSON_TYPE,
    sign: (body, secret, seconds) => ({
      'x-id': 'h-1',
      'x-time': String(seconds * 1000),
      'x-signature': `v=${hmac('sha512', secret, 'base64', `h-1.${seconds * 1000}.`, body)}`,
    }),
    signs: { time: true, body: true },
    type: 'order.paid',
    id: /^h-1$/,
  },
  {
    name: 'bearer',
    verify: { type: 'bearer' },
    ...SECRETS,
    body: '{"a":1}',
    headers: JSON_TYPE,
    sign: (_body, secret) => ({ authorization: `Bearer ${secret}` }),
    signs: { time: false, body: false },
    type: 'order.paid',
    id: UUID,
  },
  {
    name: 'basic',
    verify: { type: 'basic', username: 'shop' },
    ...SECRETS,
    body: '{"a":1}',
    headers: JSON_TYPE,
    sign: (_body, secret) => ({
      authorization: `Basic ${Buffer.from(`shop:${secret}`).toString('base64')}`,
    }),
    signs: { time: false, body: false },
    type: 'order.paid',
    id: UUID,
  },
  {
    name: 'api-key',
    verify: { type: 'api-key', header: 'X-Api-Key' },
    ...SECRETS,
    body: '{"a":1}',
    headers: JSON_TYPE,
    sign: (_body, secret) => ({ 'x-api-key': secret }),
    signs: { time: false, body: false },
    type: 'order.paid',
    id: UUID,
  },
];

/** Those that say no type get one in the path. */
export function pathOf({ name, type }: Sender): string {
  return type === 'order.paid' ? `${name}/${type}` : name;
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
