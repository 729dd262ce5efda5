import { PublishError } from '@quittance/kafka';
import type { RejectedOutcome } from '@quittance/contracts';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, startIngest, type Ingest, type IngestOptions } from '../ingest.fixture.js';
import { sourceOf } from '../resources.fixture.js';

let ingest: Ingest;
afterEach(() => ingest.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const SECRET = 'a-token-of-the-source';
const BEARER = sourceOf(
  'bearer',
  { verify: { type: 'bearer' }, type: { value: 'free.form' } },
  { verify: [SECRET] },
);

async function start(options: IngestOptions = {}): Promise<void> {
  ingest = await startIngest({ changes: [BEARER], ...options });
}

function rejections(): RejectedOutcome[] {
  return ingest.kafka.outcomes.filter((outcome) => outcome.type === 'rejected');
}

/** @returns the one rejection since the start */
async function theOne(): Promise<RejectedOutcome> {
  await expect.poll(rejections).toHaveLength(1);
  return rejections()[0]!;
}

function textOf(rejection: RejectedOutcome): string {
  return Buffer.from(rejection.body ?? '', 'base64').toString();
}

async function count(result: string): Promise<number> {
  const metrics = await (await fetch(`${ingest.managementUrl}/metrics`)).text();
  const line = metrics
    .split('\n')
    .find((text) => text.startsWith('quittance_rejections_total{') && text.includes(`result="${result}"`));
  return Number(line?.split(' ')[1] ?? 0);
}

describe('what is refused', () => {
  it('is recorded with its reason, whom it came from, and its body', async () => {
    await start();
    const body = JSON.stringify({ type: 'order.completed', data: { total: 'much' } });
    const { status, answer } = await ingest.post(body, {
      ...JSON_TYPE,
      'user-agent': 'spec/1',
      'x-private': 'no',
    });
    expect(status).toBe(422);
    const rejection = await theOne();
    expect(rejection).toMatchObject({
      namespace: 'shop',
      apiKey: 'publisher',
      method: 'POST',
      path: '/v1/events',
      status: 422,
      code: 'schema_mismatch',
      reason: answer['detail'],
      errors: answer['errors'],
      address: '127.0.0.1',
      userAgent: 'spec/1',
      contentType: 'application/json',
      bodyBytes: body.length,
      suppressed: 0,
    });
    expect(rejection.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(textOf(rejection)).toBe(body);
    expect(JSON.stringify(rejection)).not.toContain('x-private');
  });

  it('is recorded of a source, too, without its secrets, ours, or the query', async () => {
    await start();
    const body = JSON.stringify({
      note: `I sent ${SECRET}`,
      password: 'hunter2',
      key: 'qk_ab_cd',
      kept: 'kept',
    });
    const { status } = await ingest.send('bearer?token=in-the-query', body, {
      ...JSON_TYPE,
      authorization: 'Bearer wrong-token-here',
      'user-agent': `agent ${SECRET}`,
    });
    expect(status).toBe(401);
    const rejection = await theOne();
    expect(rejection).toMatchObject({ source: 'bearer', path: '/in/shop/bearer', code: 'signature_invalid' });
    expect(textOf(rejection)).toBe(
      '{"note":"I sent [redacted]","password":"[redacted]","key":"[redacted]","kept":"kept"}',
    );
    expect(JSON.stringify({ ...rejection, body: textOf(rejection) })).not.toMatch(
      /a-token-of|hunter2|qk_|in-the-query|wrong-token/,
    );
  });

  it('is recorded without what the parser quotes of it', async () => {
    await start();
    const body = '{"type":"free.form","data":{"password": hunter2, "more": "and more"}}';
    const { status, answer } = await ingest.post(body, JSON_TYPE);
    expect(status).toBe(400);
    expect(answer['detail']).toContain('hunte');
    const rejection = await theOne();
    expect(rejection.reason).toMatch(/Unexpected token 'h', the body is not valid JSON/);
    expect(JSON.stringify({ ...rejection, body: textOf(rejection) })).not.toContain('hunte');
  });

  it('is not recorded when nobody knows the namespace, nor when it is accepted', async () => {
    await start();
    const asAdmin = { authorization: `Bearer ${ADMIN_KEY}`, ...JSON_TYPE };
    expect((await ingest.post('{}', { ...asAdmin, 'quittance-namespace': 'nobodys' })).status).toBe(400);
    expect((await ingest.post('{}', { authorization: 'Bearer nonsense' })).status).toBe(401);
    expect((await fetch(`${ingest.baseUrl}/in/nobodys/source`, { method: 'POST' })).status).toBe(404);
    expect((await ingest.post('{"type":"free.form"}', JSON_TYPE)).status).toBe(202);
    expect((await ingest.send('unknown', '{}', JSON_TYPE)).status).toBe(404);
    expect(await theOne()).toMatchObject({ namespace: 'shop', code: 'not_found', path: '/in/shop/unknown' });
  });

  it('is recorded without a body that was too large to be read', async () => {
    await start();
    const body = JSON.stringify({ type: 'free.form', data: 'x'.repeat(1024 * 1024) });
    expect((await ingest.post(body, JSON_TYPE)).status).toBe(413);
    const rejection = await theOne();
    expect(rejection).toMatchObject({ status: 413, code: 'payload_too_large', bodyBytes: body.length });
    expect(rejection.body).toBeUndefined();
  });

  it('is recorded without a body that was encoded', async () => {
    await start();
    expect((await ingest.send('bearer', 'not gzip', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect(await theOne()).toMatchObject({ source: 'bearer', code: 'unsupported_media_type', bodyBytes: 8 });
  });

  it('is recorded when a client was cut off because it was too slow', async () => {
    await start({ env: { QUITTANCE_REQUEST_TIMEOUT: '200ms' } });
    const socket = connect(Number(new URL(ingest.baseUrl).port), '127.0.0.1');
    socket.write('POST /in/shop/bearer HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhalf');
    socket.resume();
    await once(socket, 'close');
    expect(await theOne()).toMatchObject({ source: 'bearer', status: 408, code: 'request_timeout' });
  });

  it('is kept of at most 64 KiB', async () => {
    await start();
    const body = 'x'.repeat(200_000);
    expect((await ingest.send('bearer', body, { 'content-type': 'text/plain' })).status).toBe(401);
    const rejection = await theOne();
    expect(rejection.bodyBytes).toBe(200_000);
    expect(textOf(rejection)).toBe('x'.repeat(64 * 1024));
  });

  it('is recorded up to a bound, and what is over is counted', async () => {
    await start();
    for (let i = 0; i < 130; i++) expect((await ingest.send('bearer', '')).status).toBe(401);
    const suppressed = await count('suppressed');
    expect(suppressed).toBeGreaterThan(0);
    expect(rejections().length + suppressed).toBe(130);
    expect(await count('recorded')).toBe(rejections().length);
  });

  it('does not hold up or fail the answer when Kafka is gone, and is counted with the next that is written', async () => {
    await start();
    ingest.kafka.failure = new PublishError('kafka_unavailable', 'Kafka is gone.');
    expect((await ingest.send('bearer', '')).status).toBe(401);
    expect((await ingest.send('bearer', '')).status).toBe(401);
    await expect.poll(() => count('failed')).toBe(2);
    ingest.kafka.failure = undefined;
    expect((await ingest.send('bearer', '')).status).toBe(401);
    expect(await theOne()).toMatchObject({ suppressed: 2 });
  });

  it('is written before the service ends, if it was on its way', async () => {
    await start();
    const { kafka } = ingest;
    const written = kafka.publish.bind(kafka);
    let acknowledge = (): void => undefined;
    const acknowledged = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    kafka.publish = async (record) => {
      await acknowledged;
      return written(record);
    };
    expect((await ingest.send('bearer', '')).status).toBe(401);
    const closed = ingest.close().then(() => rejections().length);
    const health = async () => (await fetch(`${ingest.managementUrl}/livez`)).status;
    await expect.poll(() => fetch(ingest.baseUrl).catch(() => 'closed')).toBe('closed');
    for (let i = 0; i < 20; i++) expect(await health()).toBe(200);
    acknowledge();
    expect(await closed).toBe(1);
  });
});
