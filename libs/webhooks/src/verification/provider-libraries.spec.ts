import { createHmac } from 'node:crypto';
import { sign as signGitHub } from '@octokit/webhooks-methods';
import { sourceVerify } from '@quittance/contracts';
import { Webhook } from 'standardwebhooks';
import { Stripe } from 'stripe';
import { describe, expect, it } from 'vitest';
import { verdict, withChangedByte } from './verification.fixture.js';
import type { InboundRequest } from './verifier.js';

const NOW_MS = Date.UTC(2026, 0, 15, 12, 0, 0, 250);
const BODY = '{"id":"evt_1","name":"Zoë","total":120.5}';

interface Provider {
  name: string;
  secret: string;
  otherSecret: string;
  headers: (secret: string, nowMs: number) => Promise<Record<string, string>>;
  proofHeaders: string[];
  signsTime: boolean;
}

/** Signed as the provider does it: by its own library, or where it has none, by what its documentation says. */
const PROVIDERS: Provider[] = [
  {
    name: 'stripe',
    secret: 'whsec_a6cb84a2fd0f4d2fb9f5d3b6',
    otherSecret: 'whsec_b6cb84a2fd0f4d2fb9f5d3b6',
    headers: (secret, nowMs) =>
      Promise.resolve({
        'stripe-signature': new Stripe('sk_test_unused').webhooks.generateTestHeaderString({
          payload: BODY,
          secret,
          timestamp: Math.floor(nowMs / 1000),
        }),
      }),
    proofHeaders: ['stripe-signature'],
    signsTime: true,
  },
  {
    name: 'github',
    secret: 'a secret of GitHub',
    otherSecret: 'a secret of GitLab',
    headers: async (secret) => ({ 'x-hub-signature-256': await signGitHub(secret, BODY) }),
    proofHeaders: ['x-hub-signature-256'],
    signsTime: false,
  },
  ...['x-shopify-hmac-sha256', 'shopify-hmac-sha256'].map((header): Provider => ({
    name: 'shopify',
    secret: 'hush-hush',
    otherSecret: 'hush-hash',
    headers: (secret) =>
      Promise.resolve({ [header]: createHmac('sha256', secret).update(BODY).digest('base64') }),
    proofHeaders: [header],
    signsTime: false,
  })),
  {
    name: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    otherSecret: '8f742231b10e8888abcd99yyyzzz85a6',
    headers: (secret, nowMs) => {
      const time = String(Math.floor(nowMs / 1000));
      const signature = createHmac('sha256', secret).update(`v0:${time}:${BODY}`).digest('hex');
      return Promise.resolve({ 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${signature}` });
    },
    proofHeaders: ['x-slack-request-timestamp', 'x-slack-signature'],
    signsTime: true,
  },
  {
    name: 'standard-webhooks',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    otherSecret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
    headers: (secret, nowMs) =>
      Promise.resolve({
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': String(Math.floor(nowMs / 1000)),
        'webhook-signature': new Webhook(secret).sign('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(nowMs), BODY),
      }),
    proofHeaders: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
    signsTime: true,
  },
];

async function signedBy({ headers, secret }: Provider): Promise<InboundRequest> {
  return { headers: await headers(secret, NOW_MS), rawBody: Buffer.from(BODY) };
}

describe.each(PROVIDERS)("a request of $name's own library ($proofHeaders)", (provider) => {
  const verify = sourceVerify.parse({ type: provider.name });
  const { secret, otherSecret } = provider;
  const signed = () => signedBy(provider);

  it('is accepted', async () => {
    expect(verdict(verify, [secret], await signed(), NOW_MS)).toBe('accepted');
  });

  it('is accepted while the secret is rotated, in either order', async () => {
    expect(verdict(verify, [secret, otherSecret], await signed(), NOW_MS)).toBe('accepted');
    expect(verdict(verify, [otherSecret, secret], await signed(), NOW_MS)).toBe('accepted');
  });

  it('is refused when it was signed with another secret', async () => {
    expect(verdict(verify, [otherSecret], await signed(), NOW_MS)).toBe('signature_invalid');
  });

  it('is refused when one bit of the body is changed', async () => {
    expect(verdict(verify, [secret], withChangedByte(await signed()), NOW_MS)).toBe('signature_invalid');
  });

  it.each(provider.proofHeaders)('is refused without its header %s, or with an empty one', async (header) => {
    const { headers, rawBody } = await signed();
    const { [header]: _left, ...rest } = headers;
    expect(verdict(verify, [secret], { headers: rest, rawBody }, NOW_MS)).toBe('signature_missing');
    const empty = { headers: { ...headers, [header]: '' }, rawBody };
    expect(verdict(verify, [secret], empty, NOW_MS)).toBe('signature_missing');
  });
});

describe.each(PROVIDERS.filter(({ signsTime }) => signsTime))('a request of $name', (provider) => {
  const { secret } = provider;
  const verify = sourceVerify.parse({ type: provider.name });

  it('is refused outside five minutes, before and after', async () => {
    const request = await signedBy(provider);
    const second = Math.floor(NOW_MS / 1000) * 1000;
    for (const offset of [-300_000, 300_999]) {
      expect(verdict(verify, [secret], request, second + offset)).toBe('accepted');
    }
    for (const offset of [-300_001, 301_000]) {
      expect(verdict(verify, [secret], request, second + offset)).toBe('timestamp_out_of_tolerance');
    }
  });

  it('takes the tolerance from the source', async () => {
    const narrow = sourceVerify.parse({ type: provider.name, tolerance: '10s' });
    expect(verdict(narrow, [secret], await signedBy(provider), NOW_MS + 9000)).toBe('accepted');
    expect(verdict(narrow, [secret], await signedBy(provider), NOW_MS + 12_000)).toBe(
      'timestamp_out_of_tolerance',
    );
  });
});
