import { PublishError } from '@quittance/kafka';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startIngest, type Ingest } from '../ingest.fixture.js';
import { eventTypeOf, namespaceOf, sourceOf } from '../resources.fixture.js';

const NONE = { verify: { type: 'none' } };
const JSON_TYPE = { 'content-type': 'application/json' };
const SECRETS = { verify: ['a-secret-of-the-sender'], handshakeToken: 'a-token-of-the-sender' };
const schema = { type: 'object', required: ['total'], properties: { total: { type: 'number' } } };

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest({
    changes: [
      namespaceOf('shop', { limits: { maxBodyBytes: 4096 } }),
      eventTypeOf('order.checked', { versions: [{ version: '7', schema }] }),
      sourceOf('plain', NONE),
      sourceOf('here', { ...NONE, allowedCidrs: ['127.0.0.0/8', '::1/128'] }),
      sourceOf('elsewhere', { verify: { type: 'bearer' }, allowedCidrs: ['203.0.113.0/24'] }, SECRETS),
      sourceOf('limited', { ...NONE, rateLimit: { rate: 0.01, burst: 2 } }),
      sourceOf(
        'limited-bearer',
        { verify: { type: 'bearer' }, rateLimit: { rate: 0.01, burst: 1 } },
        SECRETS,
      ),
    ],
  });
});
afterAll(() => ingest.close());
afterEach(() => {
  const published = ingest.kafka.take();
  if (published.length > 0) throw new Error(`${published.length} refused requests were published.`);
});

async function send(path: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE) {
  const { status, headers: answered, text } = await ingest.send(path, body, headers);
  const { code, errors } = JSON.parse(text) as Record<string, unknown>;
  return { status, code, errors, headers: answered };
}

describe('what comes of the catalogue', () => {
  it('an event is checked, and stamped, as any other', async () => {
    expect((await send('plain/order.checked', '{"total":1}')).status).toBe(202);
    expect(ingest.kafka.take()[0]?.attributes.extensions).toEqual({ schemaversion: '7' });
    expect(await send('plain/order.checked', '{"total":"1"}')).toMatchObject({
      status: 422,
      code: 'schema_mismatch',
      errors: [{ path: '/data/total' }],
    });
    expect(await send('plain/order.checked', 'text', { 'content-type': 'text/plain' })).toMatchObject({
      status: 422,
      code: 'schema_mismatch',
    });
  });

  it('422 to an unknown type, 403 to a reserved one', async () => {
    expect(await send('plain/unknown', '{}')).toMatchObject({ status: 422, code: 'unknown_event_type' });
    expect(await send('plain/quittance.x', '{}')).toMatchObject({ status: 403, code: 'forbidden' });
  });

  it('404 to an unknown source, 405 to another method', async () => {
    expect(await send('nobody', '{}')).toMatchObject({ status: 404, code: 'not_found' });
    const response = await fetch(`${ingest.baseUrl}/in/shop/plain`, { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toContain('POST');
  });

  it('413 beyond the size that the namespace allows', async () => {
    const body = JSON.stringify('x'.repeat(4096));
    expect(await send('plain/free.form', body)).toMatchObject({ status: 413, code: 'payload_too_large' });
  });
});

describe('who may send', () => {
  it('only addresses of the list, where there is one, whatever they know', async () => {
    expect((await send('here/free.form', '{}')).status).toBe(202);
    ingest.kafka.take();
    const bearer = { ...JSON_TYPE, authorization: 'Bearer a-secret-of-the-sender' };
    const refused = { status: 403, code: 'address_not_allowed' };
    expect(await send('elsewhere/free.form', '{}', bearer)).toMatchObject(refused);
    // Nobody believes a header that anybody can write.
    const forged = { ...bearer, 'x-forwarded-for': '203.0.113.7' };
    expect(await send('elsewhere/free.form', '{}', forged)).toMatchObject(refused);
  });

  it('429 beyond the limit of the source, which only verified requests use up', async () => {
    expect((await send('limited/free.form', '{}')).headers.get('ratelimit')).toMatch(/^"source";r=1;/);
    await send('limited/free.form', '{}');
    expect(await send('limited/free.form', '{}')).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(ingest.kafka.take()).toHaveLength(2);
    const wrong = { ...JSON_TYPE, authorization: 'Bearer something-else' };
    const right = { ...JSON_TYPE, authorization: 'Bearer a-secret-of-the-sender' };
    const statuses: number[] = [];
    for (const headers of [wrong, wrong, right, right]) {
      statuses.push((await send('limited-bearer/free.form', '{}', headers)).status);
    }
    expect(statuses).toEqual([401, 401, 202, 429]);
    expect(ingest.kafka.take()).toHaveLength(1);
  });
});

describe('a refused request is recognised', () => {
  it.each([
    [
      'by its source, with the secrets not to keep',
      'shop/elsewhere',
      'elsewhere',
      Object.values(SECRETS).flat(),
    ],
    ['by its source that has no secrets', 'shop/plain', 'plain', []],
    ['also before its body is read', 'shop/plain/free.form', 'plain', []],
    ['by its namespace where there is no such source', 'shop/nobody', undefined, undefined],
  ])('%s', async (_what, path, source, secrets) => {
    const before = ingest.origins.length;
    const { status } = await fetch(`${ingest.baseUrl}/in/${path}`, {
      method: 'POST',
      body: path.endsWith('free.form') ? Buffer.alloc(1_100_000) : '{}',
      headers: JSON_TYPE,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    await vi.waitFor(() => expect(ingest.origins).toHaveLength(before + 1));
    expect(ingest.origins.at(-1)).toEqual({ namespace: 'shop', ...(source && { source, secrets }) });
  });

  it('not where the namespace does not exist', async () => {
    const before = ingest.origins.length;
    await fetch(`${ingest.baseUrl}/in/nowhere/plain`, { method: 'POST', body: '{}' });
    await vi.waitFor(() => expect(ingest.origins).toHaveLength(before + 1));
    expect(ingest.origins.at(-1)).toBeUndefined();
  });
});

describe('without Kafka', () => {
  it('503 with Retry-After', async () => {
    ingest.kafka.failure = new PublishError('kafka_unavailable', 'gone');
    const unpublished = await send('plain/free.form', '{}');
    ingest.kafka.failure = undefined;
    ingest.source.isConfirmed = false;
    const unconfirmed = await send('plain/free.form', '{}');
    ingest.source.isConfirmed = true;
    for (const answer of [unpublished, unconfirmed]) {
      expect(answer).toMatchObject({ status: 503, code: 'kafka_unavailable' });
      expect(answer.headers.get('retry-after')).toBe('5');
    }
  });

  it('counts what it answered', async () => {
    const metrics = await (await fetch(`${ingest.managementUrl}/metrics`)).text();
    const line = (result: string) =>
      new RegExp(
        `quittance_inbound_requests_total\\{method="POST",result="${result}",service="ingest"\\} \\d`,
      );
    expect(metrics).toMatch(line('kafka_unavailable'));
    expect(metrics).toMatch(line('accepted'));
    expect(metrics).toMatch(/quittance_events_accepted_total\{mode="inbound",service="ingest"\} \d/);
  });
});
