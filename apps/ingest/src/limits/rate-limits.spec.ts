import { afterEach, describe, expect, it } from 'vitest';
import { startIngest, type Ingest } from '../ingest.fixture.js';
import { apiKeyOf, namespaceOf, sourceOf } from '../resources.fixture.js';

let ingest: Ingest;
afterEach(() => ingest.close());

/** So slow that nothing comes back while a test runs. */
const limitOf = (burst: number) => ({ rateLimit: { rate: 0.01, burst } });
const EVENT = JSON.stringify({ type: 'free.form', data: {} });
const JSON_TYPE = { 'content-type': 'application/json' };

describe('rate limits', () => {
  it('say nothing where there are none', async () => {
    ingest = await startIngest();
    const { status, headers } = await ingest.post(EVENT, JSON_TYPE);
    expect(status).toBe(202);
    expect(headers.get('ratelimit')).toBeNull();
    expect(headers.get('ratelimit-policy')).toBeNull();
  });

  it('of the namespace hold for all who publish: 429, when to come back, and what is left', async () => {
    const source = sourceOf('open', { verify: { type: 'none' }, type: { value: 'free.form' } });
    ingest = await startIngest({ changes: [namespaceOf('shop', { limits: limitOf(2) }), source] });
    const first = await ingest.post(EVENT, JSON_TYPE);
    expect(first.status).toBe(202);
    expect(first.headers.get('ratelimit-policy')).toBe('"namespace";q=2;w=200');
    expect(first.headers.get('ratelimit')).toBe('"namespace";r=1;t=100');
    expect((await ingest.send('open', '{}', JSON_TYPE)).status).toBe(202);

    const { status, headers, answer } = await ingest.post(EVENT, JSON_TYPE);
    expect(status).toBe(429);
    expect(answer).toMatchObject({ code: 'rate_limited' });
    expect(headers.get('retry-after')).toBe('100');
    expect(headers.get('ratelimit-policy')).toBe('"namespace";q=2;w=200');
    expect(headers.get('ratelimit')).toBe('"namespace";r=0;t=100');
    expect((await ingest.send('open', '{}', JSON_TYPE)).status).toBe(429);
    expect(ingest.kafka.take()).toHaveLength(2);
    const metrics = await (await fetch(`${ingest.managementUrl}/metrics`)).text();
    expect(metrics).toMatch(/quittance_rate_limited_total\{.*limit="namespace".*\} 2/);
  });

  it('of a key or a source hold for it alone, and nothing is charged to the namespace for what they refuse', async () => {
    const noisy = apiKeyOf('noisy', { scopes: ['publish'], ...limitOf(1) });
    const source = sourceOf('open', {
      verify: { type: 'none' },
      type: { value: 'free.form' },
      ...limitOf(1),
    });
    ingest = await startIngest({
      changes: [noisy.change, source, namespaceOf('shop', { limits: limitOf(4) })],
    });
    const asNoisy = { ...JSON_TYPE, authorization: `Bearer ${noisy.key}` };
    const first = await ingest.post(EVENT, asNoisy);
    expect(first.headers.get('ratelimit-policy')).toBe('"namespace";q=4;w=400, "api-key";q=1;w=100');
    expect(first.headers.get('ratelimit')).toBe('"api-key";r=0;t=100');
    for (let i = 0; i < 5; i++) expect((await ingest.post(EVENT, asNoisy)).status).toBe(429);
    expect((await ingest.send('open', '{}', JSON_TYPE)).status).toBe(202);
    expect((await ingest.send('open', '{}', JSON_TYPE)).status).toBe(429);
    expect((await ingest.post(EVENT, JSON_TYPE)).headers.get('ratelimit')).toBe('"namespace";r=1;t=300');
  });

  it('count the events of a batch, which may go into debt', async () => {
    ingest = await startIngest({ changes: [namespaceOf('shop', { limits: limitOf(2) })] });
    const event = { specversion: '1.0', source: '/s', type: 'free.form' };
    const batch = JSON.stringify(Array.from({ length: 5 }, (_, id) => ({ ...event, id: String(id) })));
    const first = await ingest.post(batch, { 'content-type': 'application/cloudevents-batch+json' });
    expect(first.status).toBe(202);
    const { status, headers } = await ingest.post(EVENT, JSON_TYPE);
    expect(status).toBe(429);
    // Three to pay off, and the one to be let through.
    expect(headers.get('retry-after')).toBe('400');
  });

  it('charge nobody before the sender has shown who it is', async () => {
    ingest = await startIngest({ changes: [namespaceOf('shop', { limits: limitOf(1) })] });
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await ingest.post(EVENT, {
        ...JSON_TYPE,
        authorization: 'Bearer qk_no_no',
      });
      expect(status).toBe(401);
      expect(headers.get('ratelimit')).toBeNull();
    }
    expect((await ingest.post(EVENT, JSON_TYPE)).status).toBe(202);
  });
});
