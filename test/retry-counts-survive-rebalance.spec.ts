import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';

const SCHEDULE = ['1s', '1s', '1s'];
const ATTEMPTS = SCHEDULE.length + 1;
const SUBSCRIPTIONS = 4;
const WINDOW_SPAN = 200;

let quittance: TestInstallation;
let receiver: Receiver;

beforeAll(async () => {
  quittance = await startServices({
    ladder: '1s',
    // The breaker would put attempts off; what is counted here is how many there are.
    env: {
      QUITTANCE_BREAKER_FAILURES: '10000',
      QUITTANCE_WINDOW_SPAN: String(WINDOW_SPAN),
      QUITTANCE_SESSION_TIMEOUT: '6s',
    },
  });
  receiver = await createReceiver({ respond: () => ({ status: 500, delayMs: 50 }) });
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

/** How many attempts a dispatcher has made, as its metrics tell. */
async function attemptsBy(managementUrl: string): Promise<number> {
  const metrics = await (await fetch(`${managementUrl}/metrics`)).text();
  const counts = [...metrics.matchAll(/^quittance_attempts_total\{[^}]*\} (\d+)/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function attemptsOf(requests: Receiver['requests']): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { headers } of requests) {
    const id = String(headers['webhook-id']);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** Publishes until told to stop; resolves to how many events were published. */
function publisher(client: ApiClient, key: string) {
  let published = 0;
  let isFlowing = true;
  const flow = (async () => {
    for (; isFlowing; published++) {
      await client.publish({ type: 'order.completed', data: { published } }, { key });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    stop: async (): Promise<number> => {
      isFlowing = false;
      await flow;
      return published;
    },
  };
}

async function goesOn(what: string): Promise<void> {
  const before = receiver.requests.length;
  await waitUntil(() => receiver.requests.length >= before + 100 * SUBSCRIPTIONS, {
    what: `attempts ${what}`,
    timeoutMs: 60_000,
  });
}

async function takesPart(managementUrl: string): Promise<void> {
  await waitUntil(async () => (await attemptsBy(managementUrl)) >= 50, {
    what: 'attempts by the guest',
    timeoutMs: 60_000,
  });
}

async function subscribed(): Promise<{ client: ApiClient; key: string }> {
  const client = quittance.client();
  await client.putEventType('order.completed');
  for (let n = 0; n < SUBSCRIPTIONS; n++) {
    await client.putSubscription(`s${n}`, {
      events: ['order.completed'],
      destination: { webhook: { url: `${receiver.url}/s${n}` } },
      delivery: { retry: { schedule: SCHEDULE } },
    });
  }
  receiver.requests.length = 0;
  return { client, key: await client.putApiKey('checkout') };
}

describe('a subscriber that always fails', () => {
  it(
    'sees each delivery exactly as often as its schedule says while dispatchers join and leave in good order',
    { timeout: 180_000 },
    async () => {
      const { client, key } = await subscribed();
      const publishing = publisher(client, key);
      await goesOn('at first');
      for (const round of ['first', 'second', 'third']) {
        const guest = await quittance.addInstance('dispatcher');
        await takesPart(guest.managementUrl);
        await goesOn(`with the ${round} guest`);
        await guest.stop();
        await goesOn(`after the ${round} guest has left`);
      }
      const published = await publishing.stop();
      const owed = published * SUBSCRIPTIONS * ATTEMPTS;
      await waitUntil(() => receiver.requests.length >= owed, {
        what: `${owed} attempts`,
        timeoutMs: 60_000,
      });
      const counts = attemptsOf(receiver.requests);
      expect(counts.size).toBe(published * SUBSCRIPTIONS);
      expect([...counts.values()].filter((count) => count !== ATTEMPTS)).toEqual([]);
    },
  );

  it(
    'sees a delivery at most once more when a dispatcher is killed, and only those in its window',
    { timeout: 180_000 },
    async () => {
      const { client, key } = await subscribed();
      const publishing = publisher(client, key);
      await goesOn('at first');
      const guest = await quittance.addInstance('dispatcher');
      await takesPart(guest.managementUrl);
      await goesOn('with the guest');
      await guest.kill('SIGKILL');
      await goesOn('after its kill');
      const published = await publishing.stop();
      const complete = (): boolean => {
        const counts = attemptsOf(receiver.requests);
        return (
          counts.size === published * SUBSCRIPTIONS &&
          [...counts.values()].every((count) => count >= ATTEMPTS)
        );
      };
      await waitUntil(complete, { what: 'all attempts', timeoutMs: 60_000 });
      const more = [...attemptsOf(receiver.requests).values()].filter((count) => count > ATTEMPTS);
      expect(more.filter((count) => count > ATTEMPTS + 1)).toEqual([]);
      expect(more.length).toBeLessThanOrEqual(SUBSCRIPTIONS * WINDOW_SPAN);
      process.stdout.write(`${published * SUBSCRIPTIONS} deliveries, ${more.length} with one attempt more\n`);
    },
  );
});
