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

let quittance: TestInstallation;
let client: ApiClient;
let key: string;
let receiver: Receiver;

beforeAll(async () => {
  quittance = await startServices({
    ladder: '200ms,500ms',
    env: { QUITTANCE_DISABLE_AFTER: '3s', QUITTANCE_BREAKER_FAILURES: '1000' },
  });
  client = quittance.client();
  receiver = await createReceiver();
  await client.putEventType('order.completed');
  key = await client.putApiKey('checkout');
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

const publish = async (n: number): Promise<string> =>
  (await client.publish({ type: 'order.completed', data: { n } }, { key })).id;

async function subscribe(name: string, url: string, more: Record<string, unknown> = {}): Promise<void> {
  await client.putSubscription(name, {
    events: ['order.completed'],
    destination: { webhook: { url, ...(more['webhook'] as object | undefined) } },
    delivery: (more['delivery'] as object | undefined) ?? {},
  });
}

const status = async (name: string) =>
  (await client.subscription(name))['status'] as { state: string; reason: string; summary: string };

const distinct = (of: Receiver): number =>
  new Set(of.requests.map(({ headers }) => headers['webhook-id'])).size;

describe('what a subscriber answers', () => {
  it('410 disables it: nothing is sent until it is resumed, and then what it missed, if somebody asks for it', async () => {
    const gone = await createReceiver({ respond: () => 410 });
    await subscribe('gone', gone.url);
    const since = new Date().toISOString();
    const first = await publish(1);
    const story = await storyOf(client, first, ({ deliveries }) => deliveries[0]?.state === 'dead');
    expect(story.deliveries[0]?.attempts).toHaveLength(1);
    await waitUntil(async () => (await status('gone')).state === 'disabled', { what: 'its being disabled' });
    expect(await status('gone')).toMatchObject({ reason: 'gone' });
    const second = await publish(2);
    const skipped = await storyOf(client, second, (told) => told.skipped.length > 0);
    expect(skipped.skipped[0]?.code).toBe('subscription_disabled');
    expect(gone.requests).toHaveLength(1);

    gone.respondWith(() => 204);
    await client.act('gone', 'resume');
    const third = await publish(3);
    await storyOf(client, third, ({ deliveries }) => deliveries[0]?.state === 'delivered');
    expect(distinct(gone)).toBe(2);
    await client.recover('gone', { since });
    await waitUntil(() => distinct(gone) === 3, { what: 'what it missed' });
    await storyOf(client, second, ({ deliveries }) => deliveries[0]?.state === 'delivered');
    await gone.close();
    await client.deleteSubscription('gone');
  });

  it('nothing but failures for long enough disables it', async () => {
    const failing = await createReceiver({ respond: () => 400 });
    await subscribe('failing', failing.url);
    let n = 0;
    await waitUntil(
      async () => {
        await publish(n++);
        return (await status('failing')).state === 'disabled';
      },
      { what: 'its being disabled', timeoutMs: 30_000, everyMs: 300 },
    );
    expect(await status('failing')).toMatchObject({ reason: 'failing' });
    expect(failing.requests.at(-1)!.at - failing.requests[0]!.at).toBeGreaterThanOrEqual(2900);
    await failing.close();
    await client.deleteSubscription('failing');
  });

  it('a redirect is a failure, and is not followed', async () => {
    const target = await createReceiver();
    const moved = await createReceiver({
      respond: () => ({ status: 307, headers: { location: target.url } }),
    });
    await subscribe('moved', moved.url, { delivery: { retry: { schedule: [] } } });
    const story = await storyOf(
      client,
      await publish(1),
      ({ deliveries }) => deliveries[0]?.state === 'dead',
    );
    expect(story.deliveries[0]?.attempts[0]?.status).toBe(307);
    expect(target.requests).toEqual([]);
    await Promise.all([target.close(), moved.close()]);
    await client.deleteSubscription('moved');
  });

  it('Retry-After beyond the longest step is waited for, and counts once', async () => {
    const busy = await createReceiver();
    busy.respondWith((_request, index) =>
      index === 0 ? { status: 503, headers: { 'retry-after': '2' } } : 204,
    );
    await subscribe('busy', busy.url, { delivery: { retry: { schedule: ['200ms'] } } });
    const story = await storyOf(
      client,
      await publish(1),
      ({ deliveries }) => deliveries[0]?.state === 'delivered',
      30_000,
    );
    expect(busy.requests[1]!.at - busy.requests[0]!.at).toBeGreaterThanOrEqual(1990);
    expect(story.deliveries[0]?.attempts.map(({ number }) => number)).toEqual([1, 2]);
    await busy.close();
    await client.deleteSubscription('busy');
  });

  it('when its first URL is down, the next one is asked within the same attempt', async () => {
    const down = await createReceiver();
    const downUrl = down.url;
    await down.close();
    const fallback = await createReceiver();
    await subscribe('twofold', downUrl, { webhook: { fallbackUrls: [fallback.url] } });
    const story = await storyOf(
      client,
      await publish(1),
      ({ deliveries }) => deliveries[0]?.state === 'delivered',
    );
    expect(story.deliveries[0]?.attempts).toHaveLength(1);
    expect(fallback.requests).toHaveLength(1);
    await fallback.close();
    await client.deleteSubscription('twofold');
  });
});
