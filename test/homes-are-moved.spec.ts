import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type ReceivedRequest,
  type TestInstallation,
} from '@quittance/testing';

const PARTITIONS = 4;

interface Status {
  state: string;
  partition: number;
  home: { partition?: number; move?: unknown };
}

let quittance: TestInstallation;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  quittance = await startServices({
    ladder: '200ms,500ms',
    topics: { QUITTANCE_DELIVERIES_PARTITIONS: PARTITIONS },
    env: { QUITTANCE_MOVE_SETTLE: '2s', QUITTANCE_BREAKER_PAUSE: '300ms' },
  });
  client = quittance.client();
  await client.putEventType('account.changed');
  key = await client.putApiKey('accounts');
});
afterAll(() => quittance.stopAll());

const statusOf = async (name: string): Promise<Status> =>
  (await client.subscription(name))['status'] as unknown as Status;

const numberOf = (request: ReceivedRequest): number =>
  (JSON.parse(request.body.toString()) as { data: { n: number } }).data.n;

function publisher() {
  let next = 0;
  let isFlowing = true;
  const flow = (async () => {
    for (; isFlowing; next++) {
      await client.publish({ type: 'account.changed', partitionkey: 'anna', data: { n: next } }, { key });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    stop: async (): Promise<number> => {
      isFlowing = false;
      await flow;
      return next;
    },
  };
}

const moveIsOver = (name: string): Promise<unknown> =>
  waitUntil(async () => !(await statusOf(name)).home.move, {
    what: 'the end of the move',
    timeoutMs: 60_000,
  });

describe('a home partition that is moved while events flow', () => {
  it.each(['strict', 'none'])(
    'loses nothing, and keeps strict order (ordering: %s)',
    { timeout: 120_000 },
    async (ordering) => {
      const name = `moving-${ordering}`;
      const receiver = await createReceiver({ respond: () => ({ status: 204, delayMs: 3 }) });
      await client.putSubscription(name, {
        events: ['account.changed'],
        destination: { webhook: { url: receiver.url } },
        delivery: { ordering },
      });
      const before = (await statusOf(name)).partition;
      const publishing = publisher();
      const goesOn = async (what: string): Promise<void> => {
        const came = receiver.requests.length;
        await waitUntil(() => receiver.requests.length >= came + 50, {
          what: `events ${what}`,
          timeoutMs: 60_000,
        });
      };
      await goesOn('at first');
      await client.act(name, 'move');
      const after = (await statusOf(name)).partition;
      expect(after).not.toBe(before);
      // The move outlives whoever carries it out.
      await Promise.all([quittance.control.restart(), quittance.dispatcher.restart()]);
      await moveIsOver(name);
      await goesOn('at the new home');
      const published = await publishing.stop();
      const numbers = (): number[] => receiver.requests.map(numberOf);
      await waitUntil(() => new Set(numbers()).size === published, { what: `all ${published} events` });
      const firsts = [...new Set(numbers())];
      const inOrder = Array.from({ length: published }, (_, n) => n);
      const arrived = ordering === 'strict' ? firsts : firsts.toSorted((a, b) => a - b);
      expect(arrived).toEqual(inOrder);
      expect((await statusOf(name)).partition).toBe(after);
      await receiver.close();
      await client.deleteSubscription(name);
    },
  );
});
