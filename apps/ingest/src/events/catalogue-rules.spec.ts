import type { EventRecord } from '@quittance/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ADMIN_KEY, startIngest, type Ingest } from '../ingest.fixture.js';
import { apiKeyOf, eventTypeOf, namespaceOf } from '../resources.fixture.js';

const PLAIN = { 'content-type': 'application/json' };
const ADMIN = { ...PLAIN, authorization: `Bearer ${ADMIN_KEY}` };
const OPEN = { ...ADMIN, 'quittance-namespace': 'open' };
const VERSIONS = [
  {
    version: '1',
    schema: { type: 'object', required: ['total'] },
    deprecated: { since: '2026-01-02T03:04:05Z', sunset: '2027-01-01T00:00:00Z' },
  },
  { version: '2', schema: { type: 'object', required: ['amount'] } },
];

const limitedKey = apiKeyOf('limited', { scopes: ['publish'], rateLimit: { rate: 0.01, burst: 2 } });
const notedKey = apiKeyOf('noted', { scopes: ['publish'] });
const expiredKey = apiKeyOf('expired', { scopes: ['publish'], expiresAt: '2026-01-01T00:00:00Z' });
const revokedKey = apiKeyOf('revoked', { scopes: ['publish'] }, { revokedAt: '2026-01-01T00:00:00Z' });

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest({
    changes: [
      namespaceOf('open', {
        catalog: { policy: 'open' },
        limits: { maxBodyBytes: 2048, eventPartitions: 7 },
      }),
      eventTypeOf(
        'order.completed',
        { versions: [{ version: '1', schema: { required: ['total'] } }] },
        'open',
      ),
      eventTypeOf('order.versioned', { versions: VERSIONS }),
      eventTypeOf('order.old', { deprecated: { since: '2026-03-01T00:00:00Z' } }),
      limitedKey.change,
      notedKey.change,
      expiredKey.change,
      revokedKey.change,
    ],
  });
});
afterAll(() => ingest.close());

function taken(): EventRecord | undefined {
  const [event, ...others] = ingest.kafka.take();
  expect(others).toEqual([]);
  return event;
}

describe('the policy of a namespace', () => {
  it('open: an unknown type is accepted unchecked, a known one is checked', async () => {
    const body = '{"type":"never.heard.of","data":{"a":1},"schemaversion":"9"}';
    expect((await ingest.post(body, OPEN)).status).toBe(202);
    expect(taken()?.attributes).toMatchObject({ type: 'never.heard.of', extensions: { schemaversion: '9' } });
    expect(await ingest.post('{"type":"order.completed","data":{}}', OPEN)).toMatchObject({
      status: 422,
      answer: { code: 'schema_mismatch' },
    });
    expect((await ingest.post('{"type":"quittance.x"}', OPEN)).status).toBe(403);
    expect(taken()).toBeUndefined();
  });

  it('limits the size of a body', async () => {
    const fits = await ingest.post(JSON.stringify({ type: 'a', data: 'x'.repeat(1900) }), OPEN);
    const large = await ingest.post(JSON.stringify({ type: 'a', data: 'x'.repeat(2100) }), OPEN);
    expect(fits.status).toBe(202);
    expect(large).toMatchObject({ status: 413, answer: { code: 'payload_too_large' } });
    expect(large.answer['detail']).toContain('2048');
    expect(taken()).toBeDefined();
  });

  it('spreads its events over as many partitions as it says, by default 3', async () => {
    await ingest.post('{"type":"a"}', OPEN);
    await ingest.post('{"type":"free.form"}', PLAIN);
    expect(ingest.kafka.records.map(({ spread }) => spread)).toEqual([
      { group: 'open', partitions: 7 },
      { group: 'shop', partitions: 3 },
    ]);
    ingest.kafka.take();
  });
});

describe('schemaversion', () => {
  const publish = (members: object) =>
    ingest.post(JSON.stringify({ type: 'order.versioned', ...members }), PLAIN);

  it('chooses the version that data are checked against', async () => {
    const first = await publish({ schemaversion: '1', data: { total: 1 } });
    expect(first.status).toBe(202);
    expect(taken()?.attributes.extensions).toEqual({ schemaversion: '1' });
    expect(await publish({ schemaversion: '1', data: { amount: 1 } })).toMatchObject({
      status: 422,
      answer: { code: 'schema_mismatch', errors: [{ path: '/data/total' }] },
    });
    expect(taken()).toBeUndefined();
  });

  it('is the last one where an event names none, and stamped on it', async () => {
    expect((await publish({ data: { amount: 1 } })).status).toBe(202);
    expect(taken()?.attributes.extensions).toEqual({ schemaversion: '2' });
  });

  it('is not stamped where the type has no versions', async () => {
    await ingest.post('{"type":"free.form"}', PLAIN);
    expect(taken()?.attributes.extensions).toEqual({});
  });

  it('422 unknown_schema_version where the type has no such version', async () => {
    expect(await publish({ schemaversion: '3', data: { amount: 1 } })).toMatchObject({
      status: 422,
      answer: { code: 'unknown_schema_version', errors: [{ path: '/schemaversion' }] },
    });
    expect(await publish({ schemaversion: {}, data: { amount: 1 } })).toMatchObject({
      status: 400,
      answer: { code: 'invalid_cloudevent', errors: [{ path: '/schemaversion' }] },
    });
    expect(taken()).toBeUndefined();
  });
});

describe('what is deprecated', () => {
  it('is said on the answer, with the day that it ends', async () => {
    const body = '{"type":"order.versioned","schemaversion":"1","data":{"total":1}}';
    const { headers } = await ingest.post(body, PLAIN);
    expect(headers.get('deprecation')).toBe(`@${Date.parse('2026-01-02T03:04:05Z') / 1000}`);
    expect(headers.get('sunset')).toBe('Fri, 01 Jan 2027 00:00:00 GMT');
    const latest = await ingest.post('{"type":"order.versioned","data":{"amount":1}}', PLAIN);
    expect(latest.headers.get('deprecation')).toBeNull();
    ingest.kafka.take();
  });

  it('of a batch, the earliest of all', async () => {
    const event = (id: string, members: object) => ({ specversion: '1.0', id, source: '/s', ...members });
    const batch = [
      event('1', { type: 'order.old' }),
      event('2', { type: 'free.form' }),
      event('3', { type: 'order.versioned', schemaversion: '1', data: { total: 1 } }),
    ];
    const { status, headers } = await ingest.post(JSON.stringify(batch), {
      'content-type': 'application/cloudevents-batch+json',
    });
    expect(status).toBe(202);
    expect(headers.get('deprecation')).toBe(`@${Date.parse('2026-01-02T03:04:05Z') / 1000}`);
    expect(headers.get('sunset')).toBe('Fri, 01 Jan 2027 00:00:00 GMT');
    expect(ingest.kafka.take()).toHaveLength(3);
  });
});

describe('keys', () => {
  const publish = (key: string, headers: Record<string, string> = {}) =>
    ingest.post('{"type":"free.form"}', { ...PLAIN, authorization: `Bearer ${key}`, ...headers });

  it('are charged for what they publish, and told what is left', async () => {
    const first = await publish(limitedKey.key);
    expect(first.headers.get('ratelimit')).toMatch(/^"api-key";r=1;t=/);
    await publish(limitedKey.key);
    const third = await publish(limitedKey.key);
    expect(third).toMatchObject({ status: 429, answer: { code: 'rate_limited' } });
    expect(third.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(ingest.kafka.take()).toHaveLength(2);
  });

  it('are noted as used, once a minute; the admin key is not', async () => {
    ingest.kafka.outcomes.length = 0;
    await publish(notedKey.key);
    await publish(notedKey.key);
    await publish(ADMIN_KEY, { 'quittance-namespace': 'shop' });
    const used = ingest.kafka.outcomes.filter(({ type }) => type === 'key-used');
    expect(used).toEqual([
      {
        type: 'key-used',
        at: expect.any(Number),
        namespace: 'shop',
        name: 'noted',
        uid: 'shop-noted',
        credentialId: notedKey.key.split('_')[1],
      },
    ]);
    expect(ingest.kafka.take()).toHaveLength(3);
  });

  it('that are over are refused with what became of them', async () => {
    expect(await publish(expiredKey.key)).toMatchObject({ status: 401, answer: { code: 'key_expired' } });
    expect(await publish(revokedKey.key)).toMatchObject({ status: 401, answer: { code: 'key_revoked' } });
    expect(taken()).toBeUndefined();
  });

  it.each([
    ['an expired key', () => expiredKey.key, {}, { namespace: 'shop', apiKey: 'expired' }],
    ['a revoked key', () => revokedKey.key, {}, { namespace: 'shop', apiKey: 'revoked' }],
    ['a key without the scope', () => ingest.readKey, {}, { namespace: 'shop', apiKey: 'reader' }],
    [
      'a key with a wrong secret',
      () => `${ingest.publishKey.slice(0, -2)}__`,
      {},
      { namespace: 'shop', apiKey: 'publisher' },
    ],
    [
      'a key of another namespace than the one named',
      () => ingest.publishKey,
      { 'quittance-namespace': 'open' },
      { namespace: 'shop', apiKey: 'publisher' },
    ],
    ['an unknown key', () => 'qk_abc_def', { 'quittance-namespace': 'open' }, { namespace: 'open' }],
    ['an unknown key', () => 'qk_abc_def', { 'quittance-namespace': 'nowhere' }, undefined],
    ['an unknown key', () => 'qk_abc_def', {}, undefined],
    [
      'a body that no handler sees',
      () => ingest.publishKey,
      { 'content-encoding': 'gzip' },
      { namespace: 'shop', apiKey: 'publisher' },
    ],
  ])('of refused requests are recognised: %s', async (_what, key, headers, origin) => {
    const before = ingest.origins.length;
    expect((await publish(key(), headers as Record<string, string>)).status).toBeGreaterThanOrEqual(400);
    await vi.waitFor(() => expect(ingest.origins).toHaveLength(before + 1));
    expect(ingest.origins.at(-1)).toEqual(origin);
    expect(taken()).toBeUndefined();
  });

  it('of accepted requests are not looked up for nothing', async () => {
    const before = ingest.origins.length;
    await publish(ingest.publishKey);
    await vi.waitFor(() => expect(ingest.origins).toHaveLength(before + 1));
    expect(ingest.origins.at(-1)).toBeUndefined();
    ingest.kafka.take();
  });
});
