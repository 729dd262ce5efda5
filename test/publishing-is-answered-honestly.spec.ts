import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  startTestKafka,
  waitUntil,
  type ApiClient,
  type ApiResponse,
  type Receiver,
  type TestInstallation,
  type TestKafka,
} from '@quittance/testing';
import { allIn, storyOf } from './stories.js';

let kafka: TestKafka;
let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  kafka = await startTestKafka();
  quittance = await startServices({ kafkaBrokers: kafka.brokers });
  receiver = await createReceiver();
  client = quittance.client();
  await client.putEventType('order.completed', {
    type: 'object',
    required: ['total'],
    properties: {
      total: { type: 'number' },
      items: { type: 'array', items: { type: 'object', required: ['sku'] } },
    },
  });
  await client.putSubscription('billing', {
    events: ['order.completed'],
    destination: { webhook: { url: receiver.url } },
  });
  key = await client.putApiKey('checkout');
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
  await kafka.remove();
});

const post = (
  body: unknown,
  options: { key?: string; headers?: Record<string, string> } = {},
): Promise<ApiResponse> =>
  client.request('POST', `${quittance.ingest.url}/v1/events`, { key, ...options, body });
const order = (data: unknown) => ({ type: 'order.completed', data });

describe('what is not accepted', () => {
  it.each<[string, () => Promise<ApiResponse>, number, string]>([
    ['no key', () => post(order({ total: 1 }), { key: '' }), 401, 'unauthenticated'],
    ['a wrong key', () => post(order({ total: 1 }), { key: 'qk_nobody_nothing' }), 401, 'unauthenticated'],
    [
      'a key without the scope',
      async () => post(order({ total: 1 }), { key: await client.putApiKey('reader', ['read']) }),
      403,
      'forbidden',
    ],
    ['an unknown type', () => post({ type: 'order.unheard', data: {} }), 422, 'unknown_event_type'],
    ['data that the schema refuses', () => post(order({ items: [{}] })), 422, 'schema_mismatch'],
    ['what is no JSON', () => post('{"type": "order.completed", '), 400, 'malformed_request'],
    [
      'more than 1 MiB',
      () => post(order({ total: 1, padding: 'x'.repeat(1024 * 1024) })),
      413,
      'payload_too_large',
    ],
  ])('%s', async (_what, send, status, code) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({
      status,
      code,
      title: expect.any(String),
      detail: expect.any(String),
    });
  });

  it('names the failing path of the data', async () => {
    const { body } = await post(order({ total: 'much', items: [{ sku: 'a' }, {}] }));
    const { errors } = body as { errors: { path: string }[] };
    expect(errors.map(({ path }) => path)).toEqual(
      expect.arrayContaining([expect.stringMatching(/total$/), expect.stringMatching(/items\/1/)]),
    );
  });

  it('writes nothing of a batch when one of its events is refused', async () => {
    const event = (id: string, data: unknown) => ({
      specversion: '1.0',
      id,
      source: '/x',
      type: 'order.completed',
      data,
    });
    const answer = await post([event('good', { total: 1 }), event('bad', {})], {
      headers: { 'content-type': 'application/cloudevents-batch+json' },
    });
    expect(answer.status).toBe(422);
    const marker = await client.publish(order({ total: 1 }), { key });
    await storyOf(client, marker.id, allIn('delivered'));
    expect(await client.event('good')).toBeUndefined();
  });
});

describe('when Kafka is gone', () => {
  it('answers 503 with Retry-After within 5 s, and accepts again when Kafka is back', async () => {
    await kafka.stop();
    const began = performance.now();
    const answers = await Promise.all([1, 2, 3].map((total) => post(order({ total }))));
    expect(performance.now() - began).toBeLessThan(5000);
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(answer.body).toMatchObject({ code: 'kafka_unavailable' });
    }
    await kafka.start();
    const accepted = await waitUntil(
      async () => {
        const answer = await post(order({ total: 4 }));
        return answer.status === 202 ? (answer.body as { id: string }) : undefined;
      },
      { what: 'ingest to accept again', timeoutMs: 60_000, everyMs: 200 },
    );
    await storyOf(client, accepted.id, allIn('delivered'), 60_000);
  });
});
