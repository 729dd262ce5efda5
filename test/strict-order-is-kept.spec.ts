import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type ReceivedRequest,
  type TestInstallation,
} from '@quittance/testing';
import { guardedSubscriptions } from './metrics.js';
import { storyOf } from './stories.js';

const KEYS = ['anna', 'berta', 'cesar'];

let quittance: TestInstallation;
let client: ApiClient;
let key: string;
const receivers: Receiver[] = [];

beforeAll(async () => {
  quittance = await startServices({
    ladder: '50ms,100ms,200ms',
    env: { QUITTANCE_SESSION_TIMEOUT: '6s', QUITTANCE_BREAKER_PAUSE: '300ms' },
  });
  client = quittance.client();
  await client.putEventType('account.changed');
  key = await client.putApiKey('accounts');
});
afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await quittance.stopAll();
});

interface Change {
  account: string;
  n: number;
}

function changeOf(request: ReceivedRequest): Change {
  return (JSON.parse(request.body.toString()) as { data: Change }).data;
}

async function subscriber(
  name: string,
  delivery: Record<string, unknown> = {},
): Promise<{ receiver: Receiver; answered: Change[] }> {
  const receiver = await createReceiver();
  receivers.push(receiver);
  await client.putSubscription(name, {
    events: ['account.changed'],
    destination: { webhook: { url: receiver.url, timeout: '2s' } },
    delivery: { ordering: 'strict', ...delivery },
  });
  return { receiver, answered: [] };
}

/** Publishes numbered changes, each account's one after the other, until told to stop. */
function publisher() {
  const next = new Map(KEYS.map((account) => [account, 0]));
  let isFlowing = true;
  const flows = KEYS.map(async (account) => {
    while (isFlowing) {
      const n = next.get(account)!;
      const isAccepted = await client
        .publish(
          { type: 'account.changed', partitionkey: account, data: { account, n } },
          { key, headers: { 'idempotency-key': `${account}-${n}` } },
        )
        .then(() => true)
        .catch(() => false);
      if (isAccepted) next.set(account, n + 1);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  });
  return {
    stop: async (): Promise<Map<string, number>> => {
      isFlowing = false;
      await Promise.all(flows);
      return next;
    },
  };
}

/** Per account, what came for the first time, in the order in which it did. */
function firsts(changes: readonly Change[]): Map<string, number[]> {
  const seen = new Map<string, number[]>();
  for (const { account, n } of changes) {
    const of = seen.get(account) ?? [];
    if (!of.includes(n)) of.push(n);
    seen.set(account, of);
  }
  return seen;
}

interface Standing {
  state: string;
  reason: string | null;
}

/** Of 100 events four fail once, two twice and one three times: as often as each is tried again, so that none halts. */
const FAILURES_OF_100 = [3, 2, 2, 1, 1, 1, 1];

class PlannedFailures {
  private readonly left = new Map<string, number>();

  isDue({ account, n }: Change): boolean {
    const event = `${account} ${n}`;
    const left = this.left.get(event) ?? FAILURES_OF_100[randomInt(100)] ?? 0;
    this.left.set(event, Math.max(0, left - 1));
    return left > 0;
  }
}

describe('a subscription in strict order', () => {
  it(
    'gets every event in order, through failures, a rebalance and the kill of its dispatcher',
    { timeout: 240_000 },
    async () => {
      const { receiver, answered } = await subscriber('ledger');
      const failures = new PlannedFailures();
      let underWay = 0;
      let mostUnderWay = 0;
      receiver.respondWith(async (request) => {
        underWay++;
        mostUnderWay = Math.max(mostUnderWay, underWay);
        await new Promise((resolve) => setTimeout(resolve, 2));
        underWay--;
        const change = changeOf(request);
        if (failures.isDue(change)) return randomInt(3) === 0 ? 'reset' : 503;
        answered.push(change);
        return 204;
      });
      const publishing = publisher();
      const goesOn = async (what: string): Promise<void> => {
        const before = answered.length;
        await waitUntil(() => answered.length >= before + 60, { what: `events ${what}`, timeoutMs: 60_000 });
      };
      await goesOn('at first');
      const guest = await quittance.addInstance('dispatcher');
      await goesOn('with a second dispatcher');
      await quittance.dispatcher.kill('SIGKILL');
      await goesOn('after the kill of the first');
      await quittance.dispatcher.launch();
      await goesOn('with a third');
      await guest.kill('SIGKILL');
      await goesOn('after the kill of the second');
      await quittance.router.kill('SIGKILL');
      await quittance.router.launch();
      await goesOn('after the kill of the router');
      const published = await publishing.stop();
      const total = [...published.values()].reduce((sum, count) => sum + count, 0);
      const distinct = (): number =>
        [...firsts(answered).values()].reduce((sum, { length }) => sum + length, 0);
      await waitUntil(() => distinct() === total, { what: `all ${total} events`, timeoutMs: 90_000 });
      for (const [account, numbers] of firsts(answered)) {
        expect([account, numbers]).toEqual([
          account,
          Array.from({ length: published.get(account)! }, (_, n) => n),
        ]);
      }
      // Two are under way at once only where one was cut off together with its dispatcher.
      expect(mostUnderWay).toBeLessThanOrEqual(2);
      process.stdout.write(`${total} events in order, ${answered.length - total} repeated\n`);
      await client.deleteSubscription('ledger');
    },
  );

  it(
    'halts after the last attempt until somebody gives the event up, also when its dispatcher is killed',
    { timeout: 180_000 },
    async () => {
      const witness = await createReceiver();
      receivers.push(witness);
      await client.putSubscription('witness', {
        events: ['account.changed'],
        destination: { webhook: { url: witness.url } },
      });
      const { receiver, answered } = await subscriber('halting', { retry: { schedule: ['200ms'] } });
      receiver.respondWith((request) => {
        const change = changeOf(request);
        if (change.n === 1) return 400;
        answered.push(change);
        return 204;
      });
      const ids: string[] = [];
      const publish = async (): Promise<void> => {
        const event = {
          type: 'account.changed',
          partitionkey: 'anna',
          data: { account: 'anna', n: ids.length },
        };
        ids.push((await client.publish(event, { key })).id);
      };
      for (let n = 0; n < 4; n++) await publish();
      const tried = (): number => receiver.requests.filter((request) => changeOf(request).n === 1).length;
      await waitUntil(() => tried() === 2, { what: 'two attempts' });
      const delivery = async () => {
        const story = await storyOf(client, ids[1]!, ({ deliveries }) => deliveries.length > 1);
        return story.deliveries.find(({ subscription }) => subscription === 'halting')!;
      };
      await waitUntil(async () => (await delivery()).attempts.length === 2, {
        what: 'two attempts on record',
      });
      const isHalted = async (): Promise<void> => {
        await waitUntil(
          async () => {
            const { state, reason } = (await client.subscription('halting'))['status'] as Standing;
            return state === 'suspended' && reason === 'halted';
          },
          { what: 'it to be halted' },
        );
      };
      await isHalted();
      /** Publishes another event, which the witness gets. */
      const passesBy = async (): Promise<void> => {
        await publish();
        await waitUntil(() => firsts(witness.requests.map(changeOf)).get('anna')?.length === ids.length, {
          what: 'the witness to get the events',
          timeoutMs: 60_000,
        });
      };
      const staysHalted = async (): Promise<void> => {
        await passesBy();
        await waitUntil(async () => (await guardedSubscriptions(quittance.dispatcher, 'closed')) === 2, {
          what: 'the next owner to have both subscriptions in hand',
          timeoutMs: 60_000,
        });
        await passesBy();
        await isHalted();
        expect(tried()).toBe(2);
        expect(answered.map(({ n }) => n)).toEqual([0]);
      };
      await quittance.dispatcher.restart();
      await staysHalted();
      await quittance.dispatcher.kill('SIGKILL');
      await quittance.dispatcher.start();
      await staysHalted();

      await client.act('halting', 'resume', { skip: (await delivery()).id });
      await waitUntil(() => answered.length === 7, { what: 'the events behind it' });
      expect(answered.map(({ n }) => n)).toEqual([0, 2, 3, 4, 5, 6, 7]);
      await waitUntil(async () => (await delivery()).state === 'dead', { what: 'its end on record' });
      expect(tried()).toBe(2);
      await Promise.all([client.deleteSubscription('halting'), client.deleteSubscription('witness')]);
    },
  );

  it('goes on without the event where it is told to', { timeout: 60_000 }, async () => {
    const { receiver, answered } = await subscriber('skipping', {
      retry: { schedule: ['200ms'] },
      whenExhausted: 'skip',
    });
    receiver.respondWith((request) => {
      const change = changeOf(request);
      if (change.n === 1) return 400;
      answered.push(change);
      return 204;
    });
    for (let n = 0; n < 3; n++) {
      await client.publish(
        { type: 'account.changed', partitionkey: 'anna', data: { account: 'anna', n } },
        { key },
      );
    }
    await waitUntil(() => answered.length === 2, { what: 'the other two' });
    expect(receiver.requests.map((request) => changeOf(request).n)).toEqual([0, 1, 1, 2]);
    await client.deleteSubscription('skipping');
  });
});
