import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type ReceivedRequest,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { guardedSubscriptions } from './metrics.js';

const PARTITIONS = 4;
/** So many events stand in the old home when the move begins. */
const BACKLOG = 200;

interface Status {
  state: string;
  partition: number;
  move?: { from: number; phase: 'switching' | 'draining' | 'drained' };
  backlog: { records: number | null };
}

let quittance: TestInstallation;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  quittance = await startServices({
    ladder: '200ms,500ms',
    topics: { QUITTANCE_DELIVERIES_PARTITIONS: PARTITIONS },
    env: { QUITTANCE_MOVE_SETTLE: '2s', QUITTANCE_BREAKER_PAUSE: '300ms', QUITTANCE_SESSION_TIMEOUT: '6s' },
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

async function subscriber(name: string, ordering: string): Promise<Receiver> {
  const receiver = await createReceiver({ respond: () => ({ status: 204, delayMs: 3 }) });
  await client.putSubscription(name, {
    events: ['account.changed'],
    destination: { webhook: { url: receiver.url } },
    delivery: { ordering },
  });
  return receiver;
}

async function publish(n: number): Promise<void> {
  await client.publish({ type: 'account.changed', partitionkey: 'anna', data: { n } }, { key });
}

/** Publishes numbered events, one after the other, until told to stop. */
function publisher() {
  let next = 0;
  let isFlowing = true;
  const flow = (async () => {
    for (; isFlowing; next++) {
      await publish(next);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    /** How many were accepted so far. */
    get count() {
      return next;
    },
    stop: async (): Promise<number> => {
      isFlowing = false;
      await flow;
      return next;
    },
  };
}

/** What came for the first time, in the order in which it did. */
const firsts = (receiver: Receiver): number[] => [...new Set(receiver.requests.map(numberOf))];

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const inOrder = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

const backlogIs = (name: string, atLeast: number): Promise<boolean> =>
  waitUntil(async () => ((await statusOf(name)).backlog.records ?? 0) >= atLeast, {
    what: `${atLeast} records to stand in the home of ${name}`,
    timeoutMs: 60_000,
  });

/** @returns the phases that were seen until then, without repetitions */
async function moveIsOver(name: string): Promise<string[]> {
  const phases: string[] = [];
  await waitUntil(
    async () => {
      const { move } = await statusOf(name);
      if (move && phases.at(-1) !== move.phase) phases.push(move.phase);
      return move === undefined;
    },
    { what: 'the end of the move', timeoutMs: 90_000 },
  );
  return phases;
}

const moveIs = (name: string, phase: string): Promise<boolean> =>
  waitUntil(async () => (await statusOf(name)).move?.phase === phase, {
    what: `the move to be ${phase}`,
    timeoutMs: 60_000,
  });

describe('a home partition that is moved while events flow, with a backlog in it', () => {
  it.each(['strict', 'none'])(
    'loses nothing, and keeps strict order (ordering: %s)',
    { timeout: 180_000 },
    async (ordering) => {
      const name = `moving-${ordering}`;
      const receiver = await subscriber(name, ordering);
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
      await client.act(name, 'pause');
      await backlogIs(name, BACKLOG);
      await client.act(name, 'move');
      const { partition: after, move } = await statusOf(name);
      expect(after).not.toBe(before);
      expect(move).toMatchObject({ from: before, phase: 'switching' });
      const standing = publishing.count;
      expect(receiver.requests.length).toBeLessThanOrEqual(standing - BACKLOG);
      const over = moveIsOver(name);
      await client.act(name, 'resume');
      // The move outlives whoever carries it out.
      await Promise.all([quittance.control.restart(), quittance.dispatcher.restart()]);
      const phases = await over;
      // It is over a moment after it is drained: that one may be missed, the others last.
      expect(phases.filter((phase) => phase !== 'drained')).toEqual(['switching', 'draining']);
      await goesOn('at the new home');
      const published = await publishing.stop();
      await waitUntil(() => firsts(receiver).length === published, {
        what: `all ${published} events`,
        timeoutMs: 60_000,
      });
      const arrived = firsts(receiver);
      expect(ordering === 'strict' ? arrived : inOrder(arrived)).toEqual(upTo(published));
      expect((await statusOf(name)).partition).toBe(after);
      await receiver.close();
      await client.deleteSubscription(name);
    },
  );
});

describe('what stands in the home of a paused subscription that is moved', () => {
  it(
    'stays there in strict order, through the kill of its dispatcher, and the move is not over before it is delivered',
    { timeout: 180_000 },
    async () => {
      const receiver = await subscriber('paused-strict', 'strict');
      await client.act('paused-strict', 'pause');
      for (let n = 0; n < 100; n++) await publish(n);
      await backlogIs('paused-strict', 100);
      await client.act('paused-strict', 'move');
      for (let n = 100; n < 150; n++) await publish(n);
      await moveIs('paused-strict', 'draining');
      await quittance.dispatcher.kill('SIGKILL');
      await quittance.dispatcher.start();
      await waitUntil(async () => (await guardedSubscriptions(quittance.dispatcher, 'closed')) === 1, {
        what: 'the next owner of the old home to have its records in hand',
        timeoutMs: 60_000,
      });
      // What was published since waits at the new home.
      await backlogIs('paused-strict', 50);
      expect((await statusOf('paused-strict')).move?.phase).toBe('draining');
      expect(receiver.requests).toEqual([]);

      await client.act('paused-strict', 'resume');
      await moveIsOver('paused-strict');
      expect(firsts(receiver).slice(0, 100)).toEqual(upTo(100));
      await waitUntil(() => firsts(receiver).length === 150, { what: 'all events', timeoutMs: 60_000 });
      expect(firsts(receiver)).toEqual(upTo(150));
      await receiver.close();
      await client.deleteSubscription('paused-strict');
    },
  );

  it('is sent on to the new home without order, and waits there', { timeout: 120_000 }, async () => {
    const receiver = await subscriber('paused-none', 'none');
    await client.act('paused-none', 'pause');
    for (let n = 0; n < 100; n++) await publish(n);
    await backlogIs('paused-none', 100);
    await client.act('paused-none', 'move');
    for (let n = 100; n < 150; n++) await publish(n);
    await moveIsOver('paused-none');
    await backlogIs('paused-none', 150);
    expect(receiver.requests).toEqual([]);

    await client.act('paused-none', 'resume');
    await waitUntil(() => firsts(receiver).length === 150, { what: 'all events', timeoutMs: 60_000 });
    expect(inOrder(firsts(receiver))).toEqual(upTo(150));
    await receiver.close();
    await client.deleteSubscription('paused-none');
  });
});
