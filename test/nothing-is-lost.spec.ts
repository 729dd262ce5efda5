import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  startTestPostgres,
  waitUntil,
  type ApiClient,
  type Receiver,
  type ServiceName,
  type TestInstallation,
  type TestPostgres,
} from '@quittance/testing';
import { storyOf } from './stories.js';

const KILLED: readonly ServiceName[] = ['ingest', 'router', 'dispatcher', 'audit'];
/** Half of it is enough to have requests, batches and commits under way at any moment. */
const EVENTS_PER_SECOND = 100;
/** Offsets in flight per partition, and so the most that a kill can repeat of one subscription. */
const WINDOW_SPAN = 200;
/** A publisher tries again for as long as the whole test may last. */
const ACCEPTANCE = { what: 'an event to be accepted', timeoutMs: 110_000, everyMs: 100 };

let quittance: TestInstallation;
let postgres: TestPostgres;
let receiver: Receiver;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  quittance = await startServices({
    postgresAdminUrl: postgres.adminUrl,
    env: { QUITTANCE_WINDOW_SPAN: String(WINDOW_SPAN), QUITTANCE_SESSION_TIMEOUT: '6s' },
  });
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
  await postgres.remove();
});

/** Publishes at a steady rate until told to stop; repeats what was not accepted under the same key, as a client should. */
function publisher() {
  const accepted = new Set<string>();
  let isRunning = true;
  let refused = 0;
  const publishOne = async (n: number): Promise<void> => {
    const attempt = async (): Promise<string | undefined> => {
      try {
        const { id } = await client.publish(
          { type: 'order.completed', data: { n } },
          { key, headers: { 'idempotency-key': `order-${n}` } },
        );
        return id;
      } catch {
        refused++;
        return undefined;
      }
    };
    accepted.add(await waitUntil(attempt, ACCEPTANCE));
  };
  const done = (async () => {
    const open = new Set<Promise<void>>();
    for (let n = 0; isRunning; n++) {
      const one = publishOne(n).finally(() => open.delete(one));
      open.add(one);
      await new Promise((resolve) => setTimeout(resolve, 1000 / EVENTS_PER_SECOND));
    }
    await Promise.all(open);
  })();
  return {
    accepted,
    get refused() {
      return refused;
    },
    stop: async () => {
      isRunning = false;
      await done;
    },
  };
}

describe('events published while services are killed and Postgres is away', () => {
  it(
    'are delivered at least once, recorded completely, and repeated no more than was in flight',
    { timeout: 300_000 },
    async () => {
      const publishing = publisher();
      const ids = (): (string | undefined)[] =>
        receiver.requests.map(({ headers }) => headers['webhook-id'] as string);
      const goesOn = async (what: string): Promise<void> => {
        const before = new Set(ids()).size;
        await waitUntil(() => new Set(ids()).size >= before + EVENTS_PER_SECOND, {
          what: `deliveries after ${what}`,
          timeoutMs: 60_000,
        });
      };
      await goesOn('the start');
      for (const name of KILLED) {
        await quittance.service(name).kill('SIGKILL');
        await quittance.service(name).launch();
        await goesOn(`the kill of ${name}`);
      }
      await postgres.kill();
      await goesOn('the loss of Postgres');
      await postgres.start();
      await publishing.stop();

      const { accepted } = publishing;
      await waitUntil(() => new Set(ids()).size >= accepted.size, {
        what: `all ${accepted.size} accepted events to be delivered`,
        timeoutMs: 60_000,
      });
      const repeats = receiver.requests.length - new Set(ids()).size;
      process.stdout.write(
        `accepted ${accepted.size}, refused and repeated ${publishing.refused}, delivered ${receiver.requests.length}, repeats ${repeats}\n`,
      );
      // One window per kill of a service that delivers or routes: dispatcher, router, and their rebalances.
      expect(repeats).toBeLessThanOrEqual(2 * WINDOW_SPAN);

      await Promise.all(KILLED.map((name) => quittance.service(name).ready(60_000)));
      const missing = new Set(accepted);
      await waitUntil(
        async () => {
          for (const id of [...missing].slice(0, 200)) {
            const story = await storyOf(client, id, () => true, 1000);
            const delivery = story.deliveries[0];
            if (delivery?.state !== 'delivered' || delivery.attempts.length === 0) return false;
            missing.delete(id);
          }
          return missing.size === 0;
        },
        { what: 'a complete record of every event', timeoutMs: 120_000 },
      );
    },
  );
});
