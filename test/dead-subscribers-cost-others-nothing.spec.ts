import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { storyOf } from './stories.js';

const EVENTS = 600;
const NEIGHBOURS = 3;

let quittance: TestInstallation;
let client: ApiClient;
let key: string;
let healthy: Receiver;
let sick: Receiver;

beforeAll(async () => {
  quittance = await startServices({
    ladder: '500ms,1s,2s,4s',
    // One partition for all: whatever one subscriber does, the others stand behind it.
    topics: { QUITTANCE_DELIVERIES_PARTITIONS: 1 },
    env: {
      QUITTANCE_BREAKER_FAILURES: '5',
      QUITTANCE_BREAKER_PAUSE: '500ms',
      QUITTANCE_BREAKER_LONGEST_PAUSE: '1s',
      QUITTANCE_PROBE_INTERVAL: '1s',
    },
  });
  client = quittance.client();
  healthy = await createReceiver();
  sick = await createReceiver();
  await client.putEventType('order.completed');
  key = await client.putApiKey('checkout');
  for (let n = 0; n < NEIGHBOURS; n++) {
    await client.putSubscription(`healthy-${n}`, {
      events: ['order.completed'],
      destination: { webhook: { url: `${healthy.url}/${n}` } },
    });
  }
});
afterAll(async () => {
  await Promise.all([healthy.close(), sick.close()]);
  await quittance.stopAll();
});

async function publish(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 50) {
    const batch = Array.from({ length: Math.min(50, count - n) }, (_, index) =>
      client.publish({ type: 'order.completed', data: { n: n + index } }, { key }),
    );
    for (const { id } of await Promise.all(batch)) ids.push(id);
  }
  return ids;
}

function distinct(receiver: Receiver, from = 0): number {
  const ids = receiver.requests
    .slice(from)
    .map(({ headers, path }) => `${path} ${String(headers['webhook-id'])}`);
  return new Set(ids).size;
}

const arrive = (count: number, from: number): Promise<unknown> =>
  waitUntil(() => distinct(healthy, from) >= count, { what: `${count} deliveries to the neighbours` });

describe('a subscriber that shares its home partition with others', () => {
  it('does not hold them up by never answering, and gets everything once it answers', async () => {
    sick.respondWith(() => 'hang');
    await client.putSubscription('silent', {
      events: ['order.completed'],
      destination: { webhook: { url: sick.url, timeout: '20s' } },
      delivery: { concurrency: 4, retry: { schedule: ['500ms', '1s'] } },
    });
    const from = healthy.requests.length;
    await publish(EVENTS);
    // Before the first of its requests has run out of time.
    await arrive(EVENTS * NEIGHBOURS, from);
    expect(sick.requests.length).toBeLessThanOrEqual(4);
    // A new server under another address: what was put off finds it.
    const well = await createReceiver();
    await client.putSubscription('silent', {
      events: ['order.completed'],
      destination: { webhook: { url: well.url, timeout: '20s' } },
      delivery: { concurrency: 4, retry: { schedule: ['500ms', '1s'] } },
    });
    await waitUntil(() => distinct(well) >= EVENTS - 4, {
      what: 'what was put off',
      timeoutMs: 60_000,
    });
    await waitUntil(() => distinct(well) === EVENTS, {
      what: 'the requests that ran out of time',
      timeoutMs: 60_000,
    });
    await well.close();
    await client.deleteSubscription('silent');
  });

  it('does not hold them up by its rate limit, and is sent no more than it allows', async () => {
    const limited = await createReceiver();
    await client.putSubscription('limited', {
      events: ['order.completed'],
      destination: { webhook: { url: limited.url } },
      delivery: { rateLimit: { rate: 20 } },
    });
    const from = healthy.requests.length;
    await publish(200);
    await arrive(200 * NEIGHBOURS, from);
    expect(limited.requests.length).toBeLessThan(150);
    await waitUntil(() => distinct(limited) === 200, { what: 'what was put off', timeoutMs: 60_000 });
    for (const { at } of limited.requests) {
      const within = limited.requests.filter((other) => other.at >= at && other.at < at + 1000).length;
      // Evenly spaced; a request may arrive later than it was sent.
      expect(within).toBeLessThanOrEqual(30);
    }
    await limited.close();
    await client.deleteSubscription('limited');
  });

  it('is suspended after its hold, and is sent what was held once it answers again', async () => {
    sick.respondWith(() => 'reset');
    await client.putSubscription('away', {
      events: ['order.completed'],
      destination: { webhook: { url: sick.url } },
      delivery: { hold: '3s' },
    });
    const from = healthy.requests.length;
    const ids = await publish(100);
    const standing = async () =>
      (await client.subscription('away'))['status'] as { state: string; summary: string };
    await waitUntil(async () => (await standing()).state === 'suspended', {
      what: 'its suspension',
      timeoutMs: 60_000,
    });
    ids.push(...(await publish(100)));
    await arrive(200 * NEIGHBOURS, from);
    const heldStory = await storyOf(client, ids.at(-1)!, ({ deliveries }) =>
      deliveries.some(({ state }) => state === 'held'),
    );
    expect(heldStory.deliveries.find(({ subscription }) => subscription === 'away')?.attempts).toEqual([]);
    sick.requests.length = 0;
    sick.respondWith(() => 204);
    await waitUntil(() => distinct(sick) === 200, { what: 'what was held', timeoutMs: 60_000 });
    await waitUntil(async () => (await standing()).state === 'active', { what: 'its being active again' });
    await client.deleteSubscription('away');
  });
});
