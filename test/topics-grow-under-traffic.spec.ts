import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import {
  createReceiver,
  startServices,
  waitUntil,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { bundleOf } from '../deploy/local/build.ts';
import { runToEnd } from '../deploy/local/run.ts';

const BEFORE = 4;
const AFTER = 8;
const OLD = ['one', 'two', 'three', 'four'];

let quittance: TestInstallation;
let receiver: Receiver;
let client: ApiClient;
let key: string;

beforeAll(async () => {
  quittance = await startServices({ topics: { QUITTANCE_DELIVERIES_PARTITIONS: BEFORE } });
  receiver = await createReceiver();
  client = quittance.client();
  await client.putEventType('order.completed');
  key = await client.putApiKey('checkout');
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

/** The command-line program, as an operator runs it: a process of its own. */
function cli(...args: string[]): Promise<{ code: number; output: string }> {
  return runToEnd(process.execPath, [bundleOf('cli'), ...args], {
    env: {
      ...process.env,
      QUITTANCE_KAFKA_BROKERS: quittance.kafkaBrokers,
      QUITTANCE_TOPIC_PREFIX: quittance.topicPrefix,
      QUITTANCE_RETRY_LADDER: quittance.ladder,
    },
  });
}

interface ListedTopic {
  name: string;
  partitions: number;
  lag: Record<string, number>;
}

async function listed(name: string): Promise<ListedTopic> {
  const { output } = await cli('topics', 'list', '--json');
  return (JSON.parse(output) as ListedTopic[]).find((topic) => topic.name === name)!;
}

/** @returns the partition that is its home */
async function subscribe(name: string): Promise<number> {
  const { status } = await client.putSubscription(name, {
    events: ['order.completed'],
    destination: { webhook: { url: `${receiver.url}/${name}` } },
  });
  return (status as { partition: number }).partition;
}

/** Waits until events with these numbers have arrived at a subscription, however often each. */
async function haveArrived(numbers: number[], name: string): Promise<void> {
  await waitUntil(
    () => {
      const arrived = arrivedAt(name);
      return numbers.every((n) => arrived.has(n));
    },
    { what: `all ${numbers.length} events at ${name}` },
  );
}

function arrivedAt(name: string): Set<number> {
  const own = receiver.requests.filter(({ path }) => path === `/hook/${name}`);
  return new Set(own.map(({ body }) => (JSON.parse(body.toString()) as { data: { n: number } }).data.n));
}

it('loses nothing while deliveries are grown, and gives the new partitions to new subscriptions', async () => {
  const homes = [];
  for (const name of OLD) homes.push(await subscribe(name));
  expect(homes.toSorted()).toEqual([0, 1, 2, 3]);

  let published = 0;
  let isFlowing = true;
  const publishUntilStopped = async (): Promise<void> => {
    while (isFlowing) await client.publish({ type: 'order.completed', data: { n: published++ } }, { key });
  };
  const flow = Promise.all([publishUntilStopped(), publishUntilStopped()]);
  onTestFinished(() => {
    isFlowing = false;
  });
  await receiver.waitFor(100);

  const publishedBefore = published;
  const grown = await cli('topics', 'grow', 'deliveries', '--partitions', String(AFTER));
  expect(grown.output).toMatch(
    /deliveries\.v1: from 4 to 8 partitions\.[^]*Done: every partition has a leader\./,
  );
  expect(grown.code).toBe(0);
  expect(published).toBeGreaterThan(publishedBefore);

  const home = await subscribe('five');
  const publishedAfter = published;
  expect(home).toBeGreaterThanOrEqual(BEFORE);
  expect(home).toBeLessThan(AFTER);
  await receiver.waitFor(20, {
    matching: ({ path }) => path === '/hook/five',
    what: 'events at the new home',
  });
  isFlowing = false;
  await flow;

  const all = Array.from({ length: published }, (_, n) => n);
  for (const name of OLD) await haveArrived(all, name);
  await haveArrived(all.slice(publishedAfter), 'five');
  await waitUntil(async () => Object.values((await listed('deliveries')).lag).every((lag) => lag === 0), {
    what: 'the dispatcher to have finished everything',
  });
  expect((await listed('deliveries')).partitions).toBe(AFTER);
});

it('does nothing the second time, and never takes partitions away', async () => {
  expect(await cli('topics', 'grow', 'deliveries', '--partitions', String(AFTER))).toMatchObject({
    code: 0,
    output: expect.stringMatching('There is nothing to do.') as string,
  });
  expect(await cli('topics', 'grow', 'deliveries', '--partitions', String(BEFORE))).toMatchObject({
    code: 1,
    output: expect.stringMatching('Kafka cannot take any away.') as string,
  });
  expect((await listed('deliveries')).partitions).toBe(AFTER);
});

it('grows all retry topics together, and events only when that is confirmed', async () => {
  expect((await cli('topics', 'grow', 'retry', '--partitions', '3')).code).toBe(0);
  expect((await listed('retry')).partitions).toBe(3);

  expect((await cli('topics', 'grow', 'events', '--partitions', '5')).code).toBe(1);
  expect((await listed('events')).partitions).toBe(4);
  expect((await cli('topics', 'grow', 'events', '--partitions', '5', '--yes')).code).toBe(0);
  expect((await listed('events')).partitions).toBe(5);

  const { id } = await client.publish({ type: 'order.completed', data: { n: -1 } }, { key });
  await waitUntil(() => client.event(id), { what: 'an event published afterwards to be recorded' });
});
