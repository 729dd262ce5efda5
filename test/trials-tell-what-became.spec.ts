import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  type ApiClient,
  type ApiResponse,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { allIn, storyOf } from './stories.js';

let quittance: TestInstallation;
const receivers: Receiver[] = [];

beforeAll(async () => {
  quittance = await startServices({ ladder: '200ms,400ms' });
});
afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await quittance.stopAll();
});

const schema = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };

async function subscribed(spec: Record<string, unknown>, respond: () => number) {
  const receiver = await createReceiver({ respond });
  receivers.push(receiver);
  const client = quittance.client();
  await put(client, 'event-types/order.completed', {
    spec: { versions: [{ version: '1', schema, examples: [{ total: 7 }] }] },
  });
  await client.putSubscription('billing', {
    events: ['order.*'],
    destination: { webhook: { url: receiver.url } },
    ...spec,
  });
  const test = (body: Record<string, unknown> = {}) => post(client, 'subscriptions/billing/test', body);
  return { client, receiver, test };
}

async function put(client: ApiClient, path: string, body: Record<string, unknown>): Promise<void> {
  const answer = await client.request('PUT', client.controlUrl(path), { body });
  expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
}

function post(client: ApiClient, path: string, body: Record<string, unknown>): Promise<ApiResponse> {
  return client.request('POST', client.controlUrl(path), { body });
}

describe('the test of a subscription', () => {
  it('sends it a signed sample that says what it is, and answers what came of it', async () => {
    const { client, receiver, test } = await subscribed({ format: 'cloudevents-binary' }, () => 200);
    const { status, body } = await test();
    expect([status, body]).toEqual([
      200,
      {
        event: { id: expect.any(String), traceId: expect.any(String), type: 'order.completed' },
        state: 'delivered',
        attempts: [expect.objectContaining({ number: 1, status: 200, error: null })],
      },
    ]);
    const [request] = receiver.requests;
    expect(request!.headers).toMatchObject({
      'quittance-test': 'true',
      'ce-source': `/namespaces/${client.namespace}/subscriptions/billing/test`,
      'ce-schemaversion': '1',
    });
    const secret = await client.secret('billing');
    const headers = request!.headers as Record<string, string>;
    expect(new Webhook(secret).verify(request!.body, headers)).toEqual({ total: 7 });
    const { event } = body as { event: { id: string; traceId: string } };
    const story = await storyOf(client, event.id, allIn('delivered'));
    expect(story).toMatchObject({ type: 'order.completed', traceId: event.traceId });
  });

  it('answers after the first attempt of a subscriber that fails', async () => {
    const { test } = await subscribed({ delivery: { retry: { schedule: ['400ms'] } } }, () => 500);
    const { status, body } = await test({ data: { total: 1 } });
    expect([status, body]).toMatchObject([
      200,
      { attempts: [{ number: 1, status: 500, error: { code: 'http_status' } }] },
    ]);
  });

  it('reaches the subscription whatever its filter says, and nobody else', async () => {
    const { client, receiver, test } = await subscribed({ filter: 'event.data.total > 100.0' }, () => 200);
    const other = await createReceiver();
    receivers.push(other);
    await client.putSubscription('mail', { events: ['*'], destination: { webhook: { url: other.url } } });
    const { status, body } = await test({ data: { total: 1 } });
    expect([status, body]).toMatchObject([200, { state: 'delivered' }]);
    expect(receiver.requests).toHaveLength(1);
    // Whatever is published after the sample, comes after it.
    await client.publish({ type: 'order.completed', data: { total: 1 } });
    const [published] = await other.waitFor(1);
    expect(published!.headers['quittance-test']).toBeUndefined();
    expect(other.requests).toHaveLength(1);
  });

  it('says what is missing where there is nothing to send, or the wrong thing', async () => {
    const { client, test } = await subscribed({}, () => 200);
    await client.putEventType('order.refused');
    for (const [asked, code] of [
      [{ eventType: 'order.refused' }, 'no_sample'],
      [{ eventType: 'order.unknown' }, 'unknown_event_type'],
      [{ version: '2', eventType: 'order.completed' }, 'unknown_schema_version'],
      [{ data: { total: 'much' } }, 'schema_mismatch'],
      [{ wait: '31s' }, 'malformed_request'],
    ] as const) {
      const { body } = await test(asked);
      expect([asked, body]).toEqual([asked, expect.objectContaining({ code })]);
    }
    const readOnly = await client.putApiKey('reader', ['read']);
    const url = client.controlUrl('subscriptions/billing/test');
    expect((await client.request('POST', url, { key: readOnly, body: {} })).status).toBe(403);
    expect((await post(client, 'subscriptions/none/test', {})).status).toBe(404);
  });
});

describe('a simulation of a source', () => {
  const KEY = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
  const kinds: [Record<string, unknown>, string | undefined, string][] = [
    [{ type: 'stripe' }, 'whsec_of_stripe', 'stripe.payment_intent.succeeded'],
    [{ type: 'github' }, 'github-secret', 'github.push'],
    [{ type: 'shopify' }, 'shopify-secret', 'shopify.orders.create'],
    [{ type: 'slack' }, 'slack-secret', 'slack.app_mention'],
    [{ type: 'standard-webhooks' }, `whsec_${KEY}`, 'sample.created'],
    [
      {
        type: 'hmac',
        header: 'x-signature',
        content: '{timestamp}.{id}.{body}',
        timestamp: { header: 'x-time' },
        id: { header: 'x-id' },
      },
      'hmac-secret',
      'hook.received',
    ],
    [{ type: 'bearer' }, 'bearer-secret', 'hook.received'],
    [{ type: 'basic', username: 'shop' }, 'basic-secret', 'hook.received'],
    [{ type: 'api-key' }, 'api-key-secret', 'hook.received'],
    [{ type: 'none' }, undefined, 'hook.received'],
  ];

  it.each(kinds)('goes the real way: %j', async (verify, secret, type) => {
    const client = quittance.client();
    await client.putEventType(type);
    const isNamed = type === 'hook.received';
    await put(client, 'sources/hook', {
      spec: { verify, ...(isNamed && { type: { value: type } }) },
      ...(secret !== undefined && { secrets: { verify: [secret] } }),
    });
    const { status, body } = await post(client, 'sources/hook/simulate', {});
    const accepted = verify['type'] === 'slack' ? 200 : 202;
    expect([status, body]).toMatchObject([
      200,
      { request: { path: `/in/${client.namespace}/hook` }, answer: { status: accepted } },
    ]);
    const text = JSON.stringify(body);
    const credentials =
      secret === undefined ? [] : [secret, Buffer.from(`shop:${secret}`).toString('base64')];
    expect(credentials.filter((each) => text.includes(each))).toEqual([]);
    if (accepted === 200) return;
    const { event } = body as { event: { id: string; traceId: string } };
    // What was routed may be known a moment before what was accepted.
    const story = await storyOf(client, event.id, ({ traceId }) => traceId === event.traceId);
    expect(story).toMatchObject({ type });
  });

  it('tells what ingest refused, and why', async () => {
    const client = quittance.client();
    await put(client, 'sources/hook', { spec: { verify: { type: 'none' } } });
    const { status, body } = await post(client, 'sources/hook/simulate', {
      eventType: 'order.unknown',
      body: { total: 1 },
    });
    expect([status, body]).toMatchObject([
      200,
      {
        request: { path: `/in/${client.namespace}/hook/order.unknown`, body: '{"total":1}' },
        answer: { status: 422, body: { code: 'unknown_event_type' } },
      },
    ]);
    expect(body).not.toHaveProperty('event');
  });

  it('posts a form where the source reads forms', async () => {
    const client = quittance.client();
    await client.putEventType('order.posted');
    await put(client, 'sources/form', {
      spec: { verify: { type: 'none' }, body: 'form', type: { value: 'order.posted' } },
    });
    const { body } = await post(client, 'sources/form/simulate', {
      body: { name: 'Jon & Ygritte', total: 3 },
    });
    expect(body).toMatchObject({
      request: { body: 'name=Jon+%26+Ygritte&total=3' },
      answer: { status: 202 },
    });
    const { event } = body as { event: { id: string } };
    expect(await storyOf(client, event.id, ({ type }) => type === 'order.posted')).toMatchObject({
      data: { name: 'Jon & Ygritte', total: '3' },
    });
  });
});

describe('a namespace’s catalogue', () => {
  it('is told as AsyncAPI, and each type as a page', async () => {
    const { client } = await subscribed({}, () => 200);
    const document = await client.request('GET', client.controlUrl('asyncapi.json'));
    expect([document.status, document.body]).toMatchObject([
      200,
      { asyncapi: '3.0.0', channels: { 'order.completed': { messages: { 1: { payload: schema } } } } },
    ]);
    const page = await client.request('GET', client.controlUrl('event-types/order.completed/docs'));
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; style-src 'sha256-");
    expect(page.body).toContain('<h1>order.completed</h1>');
    const missing = await client.request('GET', client.controlUrl('event-types/order.none/docs'));
    expect([missing.status, missing.body]).toMatchObject([404, { code: 'not_found' }]);
  });

  it('is told whole, however many types there are', async () => {
    const client = quittance.client();
    const names = Array.from({ length: 120 }, (_, index) => `order.t${String(index).padStart(3, '0')}`);
    await Promise.all(names.map((name) => client.putEventType(name)));
    const { body } = await client.request('GET', client.controlUrl('asyncapi.json'));
    expect(Object.keys((body as { channels: object }).channels)).toEqual(names);
  });
});
