import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { allIn, storyOf } from './stories.js';

let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  quittance = await startServices();
  receiver = await createReceiver();
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

async function namespace(): Promise<void> {
  client = quittance.client();
  await client.putEventType('order.completed');
  await client.putEventType('order.item.added');
  key = await client.putApiKey('checkout');
  receiver.requests.length = 0;
}

const subscribe = (name: string, spec: Record<string, unknown>) =>
  client.putSubscription(name, {
    events: ['order.completed'],
    destination: { webhook: { url: `${receiver.url}/${name}` } },
    ...spec,
  });
const publish = (data: unknown, type = 'order.completed') => client.publish({ type, data }, { key });
const paths = (): string[] => receiver.requests.map(({ path }) => path).sort();

describe('filter and fan-out', () => {
  it('delivers to every subscription that matches, and records why the others did not', async () => {
    await namespace();
    await subscribe('all', { events: ['*'] });
    await subscribe('orders', { events: ['order.*'] });
    await subscribe('large', { filter: 'event.data.total > 100' });
    await subscribe('vip', { filter: 'event.data.customer.vip' });
    await subscribe('items', { events: ['order.item.*'] });
    const { id } = await publish({ total: 120.5 });
    const story = await storyOf(client, id, (s) => s.deliveries.length === 3 && allIn('delivered')(s));
    expect(paths()).toEqual(['/hook/all', '/hook/large', '/hook/orders']);
    expect(story.skipped.map(({ subscription, code }) => [subscription, code])).toEqual([
      ['vip', 'filter_error'],
    ]);
    expect(story.skipped[0]!.reason).toMatch(/customer/);

    const small = await publish({ total: 5, customer: { vip: false } });
    const smallStory = await storyOf(
      client,
      small.id,
      (s) => s.deliveries.length === 2 && allIn('delivered')(s),
    );
    expect(smallStory.skipped.map(({ subscription, code }) => [subscription, code])).toEqual([
      ['large', 'filter_false'],
      ['vip', 'filter_false'],
    ]);
  });
});

describe('transform and formats', () => {
  it('sends what the transform makes, in the format that was asked for', async () => {
    await namespace();
    await subscribe('short', {
      transform:
        '{"text": "Order over " + string(event.data.total), "lines": size(event.data.items), "sum": event.data.total + 1}',
      format: 'data',
    });
    await subscribe('structured', { format: 'cloudevents' });
    const { id } = await publish({ total: 120.5, items: [1, 2, 3] });
    await storyOf(client, id, (s) => s.deliveries.length === 2 && allIn('delivered')(s));
    const bodyAt = (path: string) =>
      JSON.parse(receiver.requests.find((request) => request.path === path)!.body.toString()) as unknown;
    expect(bodyAt('/hook/short')).toEqual({ text: 'Order over 120.5', lines: 3, sum: 121.5 });
    expect(bodyAt('/hook/structured')).toMatchObject({
      specversion: '1.0',
      id,
      type: 'order.completed',
      datacontenttype: 'application/json',
      data: { total: 120.5 },
    });
  });

  it('makes a dead letter of an event whose transform fails, and tells why', async () => {
    await namespace();
    await subscribe('broken', { transform: '{"name": event.data.customer.name}' });
    const { id } = await publish({ total: 1 });
    const story = await storyOf(client, id, allIn('dead'));
    expect(story.deliveries[0]!.attempts).toEqual([]);
    expect(receiver.requests).toEqual([]);
    expect(JSON.stringify(story.deliveries[0])).toMatch(/transform_failed/);
  });
});

describe('a change of the configuration', () => {
  it('counts for every event that is published after it was answered, without a restart', async () => {
    await namespace();
    for (let n = 0; n < 10; n++) {
      await subscribe('changing', { destination: { webhook: { url: `${receiver.url}/v${n}` } } });
      await publish({ n });
      await receiver.waitFor(1, { matching: ({ path }) => path === `/hook/v${n}`, what: `version ${n}` });
    }
    expect(receiver.requests).toHaveLength(10);
    await client.deleteSubscription('changing');
    const { id } = await publish({ n: 10 });
    const story = await storyOf(client, id, () => true);
    expect(story.deliveries).toEqual([]);
    expect(receiver.requests).toHaveLength(10);
  });

  it('takes effect while events flow', async () => {
    await namespace();
    await subscribe('flowing', { filter: 'event.data.n >= 0' });
    let n = 0;
    let isFlowing = true;
    const flow = (async () => {
      while (isFlowing) await publish({ n: n++ });
    })();
    await receiver.waitFor(20);
    await subscribe('flowing', { filter: 'event.data.n < 0' });
    const changedAt = n;
    while (n < changedAt + 50) await new Promise((resolve) => setImmediate(resolve));
    isFlowing = false;
    await flow;
    const last = await publish({ n: -1 });
    await storyOf(client, last.id, allIn('delivered'));
    const seen = receiver.requests.map(
      ({ body }) => (JSON.parse(body.toString()) as { data: { n: number } }).data.n,
    );
    // The one that was under way while the answer came back may have been routed before the change.
    expect(Math.max(...seen)).toBeLessThanOrEqual(changedAt);
    expect(seen).toContain(-1);
  });
});

describe('the same event twice', () => {
  it('is delivered once', async () => {
    await namespace();
    await subscribe('once', {});
    const send = () =>
      client.publish(
        { type: 'order.completed', data: { total: 1 } },
        { key, headers: { 'idempotency-key': 'order-7' } },
      );
    const answers = await Promise.all([send(), send(), send()]);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    const marker = await publish({ total: 2 });
    await storyOf(client, marker.id, allIn('delivered'));
    await storyOf(client, answers[0]!.id, allIn('delivered'));
    expect(receiver.requests).toHaveLength(2);
  });
});
