import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import type { Story } from './stories.js';

/** What a subscriber misses while it is disabled. */
const MISSED = 2_000;
/** And the one that it refused with 410. */
const TOTAL = MISSED + 1;
const PER_REQUEST = 500;
/** Stories that are asked for. */
const AT_ONCE = 50;
/** Events per second: they come in batches of a tenth of that, of 100 at most. */
const RATE = 1_000;
const BATCH = 100;

let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  quittance = await startServices({ env: { QUITTANCE_SESSION_TIMEOUT: '6s' } });
  receiver = await createReceiver();
  client = quittance.client();
  await client.putEventType('order.completed');
  await client.putSubscription('billing', {
    events: ['order.completed'],
    destination: { webhook: { url: receiver.url } },
  });
  key = await client.putApiKey('checkout');
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

interface Replay {
  id: string;
  state: string;
  total: number | null;
  done: number;
}

/** Numbered events, the first of them and so many more. @returns their ids */
async function publishFrom(first: number, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, index) => ({
    specversion: '1.0',
    id: `order-${first + index}`,
    source: '/shop',
    type: 'order.completed',
    data: { n: first + index },
  }));
  const { status } = await client.request('POST', `${quittance.ingest.url}/v1/events`, {
    key,
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(events),
  });
  expect(status).toBe(202);
  return events.map(({ id }) => id);
}

/** The router has left them out, and audit knows. */
async function areSkipped(ids: readonly string[]): Promise<void> {
  const open = new Set(ids);
  await waitUntil(
    async () => {
      const some = [...open].slice(0, AT_ONCE);
      const stories = await Promise.all(some.map((id) => client.event(id)));
      some.filter((_, index) => isSkipped(stories[index])).forEach((id) => open.delete(id));
      return open.size === 0;
    },
    { what: `${ids.length} events to be skipped`, timeoutMs: 60_000, everyMs: 5 },
  );
}

function isSkipped(story: Record<string, unknown> | undefined): boolean {
  return (story as Story | undefined)?.skipped[0]?.code === 'subscription_disabled';
}

const numbers = (): number[] =>
  receiver.requests.map(({ body }) => (JSON.parse(body.toString()) as { data: { n: number } }).data.n);

describe('a recovery whose audit is killed in the middle of it', () => {
  it(
    'goes on by itself after the restart: every event arrives, and at most one batch is repeated',
    { timeout: 240_000 },
    async () => {
      receiver.respondWith(() => 410);
      const since = new Date().toISOString();
      await publishFrom(0, 1);
      await waitUntil(
        async () => {
          const { status } = await client.subscription('billing');
          return (status as { state: string }).state === 'disabled';
        },
        { what: 'its being disabled' },
      );
      for (let n = 1; n < TOTAL; n += PER_REQUEST) await areSkipped(await publishFrom(n, PER_REQUEST));
      expect(receiver.requests).toHaveLength(1);

      receiver.respondWith(() => 204);
      receiver.requests.length = 0;
      await client.act('billing', 'resume');
      const { id } = (await waitUntil(
        () => client.recover('billing', { since, rate: RATE }).catch(() => undefined),
        { what: 'the recovery to begin' },
      )) as unknown as Replay;
      const url = client.auditUrl(`subscriptions/billing/replays/${id}`);
      const replay = async (): Promise<Replay> => {
        const answer = await client.request('GET', url);
        expect(answer.status).toBe(200);
        return answer.body as Replay;
      };
      const before = await waitUntil(
        async () => {
          const present = await replay();
          return present.done >= 3 * BATCH ? present : undefined;
        },
        { what: 'its first batches' },
      );
      await quittance.audit.kill('SIGKILL');
      expect(before).toMatchObject({ state: 'running', total: TOTAL });
      // A second's worth was left, and more: it did not end before the kill.
      expect(before.done).toBeLessThan(TOTAL - RATE);

      await quittance.audit.start();
      const ended = await waitUntil(
        async () => {
          const present = await replay();
          return present.state === 'running' ? undefined : present;
        },
        { what: 'the end of the recovery', timeoutMs: 60_000 },
      );
      expect(ended).toMatchObject({ state: 'completed', total: TOTAL, done: TOTAL });
      await waitUntil(() => new Set(numbers()).size === TOTAL, {
        what: 'all that it missed',
        timeoutMs: 60_000,
      });
      // What is published now comes behind all that the recovery has sent.
      await publishFrom(TOTAL, 50);
      await waitUntil(() => new Set(numbers()).size === TOTAL + 50, { what: 'new events' });
      const repeated = receiver.requests.length - TOTAL - 50;
      process.stdout.write(`${before.done} of ${TOTAL} recovered before the kill, ${repeated} repeated\n`);
      expect(repeated).toBeLessThanOrEqual(BATCH);
    },
  );
});
