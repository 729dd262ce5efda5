import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  startServices,
  startTestPostgres,
  waitUntil,
  type ApiClient,
  type ReceivedRequest,
  type Receiver,
  type TestInstallation,
  type TestPostgres,
} from '@quittance/testing';
import { guardedSubscriptions } from './metrics.js';
import { allIn, storyOf } from './stories.js';

let quittance: TestInstallation;
let postgres: TestPostgres;
let client: ApiClient;
let key: string;
const receivers: Receiver[] = [];

beforeAll(async () => {
  postgres = await startTestPostgres();
  quittance = await startServices({
    postgresAdminUrl: postgres.adminUrl,
    ladder: '200ms,500ms',
    env: {
      QUITTANCE_BREAKER_FAILURES: '3',
      QUITTANCE_BREAKER_PAUSE: '300ms',
      QUITTANCE_BREAKER_LONGEST_PAUSE: '1s',
      QUITTANCE_PROBE_INTERVAL: '1h',
      QUITTANCE_MOVE_SETTLE: '1s',
    },
  });
  client = quittance.client();
  await client.putEventType('order.completed');
  key = await client.putApiKey('checkout');
});
afterAll(async () => {
  await Promise.all(receivers.map((receiver) => receiver.close()));
  await quittance.stopAll();
  await postgres.remove();
});

async function subscriber(name: string, delivery: Record<string, unknown> = {}): Promise<Receiver> {
  const receiver = await createReceiver();
  receivers.push(receiver);
  await client.putSubscription(name, {
    events: ['order.completed'],
    destination: { webhook: { url: receiver.url } },
    delivery,
  });
  return receiver;
}

let published = 0;
/** @param partitionkey those of one key are in order */
const publish = async (partitionkey?: string): Promise<string> => {
  const event = { type: 'order.completed', data: { n: published++ }, ...(partitionkey && { partitionkey }) };
  return (await client.publish(event, { key })).id;
};

/** Of the event that it brings. */
const numberOf = ({ body }: ReceivedRequest): number =>
  (JSON.parse(body.toString()) as { data: { n: number } }).data.n;

/** Of all events since the one that had this number. */
const numbersFrom = (first: number): number[] =>
  Array.from({ length: published - first }, (_, index) => first + index);

interface Status {
  state: string;
  reason: string | null;
  partition: number;
  move?: { phase: string };
  backlog: { records: number | null };
}

const statusOf = async (name: string): Promise<Status> =>
  (await client.subscription(name))['status'] as unknown as Status;

async function is(name: string, state: string): Promise<void> {
  await waitUntil(async () => (await statusOf(name).catch(() => undefined))?.state === state, {
    what: `${name} to be ${state}`,
    timeoutMs: 60_000,
  });
}

/** In good order, all at once; Postgres may be away. @param whenStopped nothing runs at that moment */
async function restartEverything(whenStopped?: () => void): Promise<void> {
  const services = [...quittance.services.values()];
  await Promise.all(services.map((service) => service.stop()));
  whenStopped?.();
  await Promise.all(services.map((service) => service.launch()));
  await Promise.all(
    [quittance.ingest, quittance.router, quittance.dispatcher].map((service) => service.ready(60_000)),
  );
}

async function everythingIsReady(): Promise<void> {
  await Promise.all([...quittance.services.values()].map((service) => service.ready(60_000)));
}

/** Events that another subscriber got, so that this one would have got them too. */
async function passesBy(witness: Receiver, count: number): Promise<void> {
  const before = witness.requests.length;
  for (let n = 0; n < count; n++) await publish();
  await waitUntil(() => witness.requests.length >= before + count, { what: 'the witness to get the events' });
}

const distinct = (of: Receiver): number =>
  new Set(of.requests.map(({ headers }) => headers['webhook-id'])).size;

describe('what became of a subscription outlives a restart of every service, and an outage of Postgres at that moment', () => {
  it('disabled, then resumed', { timeout: 180_000 }, async () => {
    const witness = await subscriber('witness-a');
    const gone = await subscriber('gone');
    gone.respondWith(() => 410);
    await postgres.kill();
    await publish();
    await waitUntil(() => gone.requests.length === 1, { what: 'the 410' });
    await restartEverything();
    await passesBy(witness, 3);
    expect(gone.requests).toHaveLength(1);
    await postgres.start();
    await everythingIsReady();
    await is('gone', 'disabled');

    gone.respondWith(() => 204);
    await client.act('gone', 'resume');
    await postgres.kill();
    await restartEverything();
    await publish();
    await waitUntil(() => gone.requests.length === 2, { what: 'an event after the resumption' });
    await postgres.start();
    await everythingIsReady();
    expect((await statusOf('gone')).state).toBe('active');
    await Promise.all([client.deleteSubscription('gone'), client.deleteSubscription('witness-a')]);
  });

  it('paused, suspended, and resumed with what was held', { timeout: 180_000 }, async () => {
    const witness = await subscriber('witness-b');
    const paused = await subscriber('paused', { hold: '3s' });
    await client.act('paused', 'pause');
    await postgres.kill();
    await expect(client.act('paused', 'resume')).rejects.toMatchObject({ response: { status: 503 } });
    await restartEverything();
    await passesBy(witness, 3);
    expect(paused.requests).toEqual([]);
    await postgres.start();
    await everythingIsReady();
    await is('paused', 'suspended');
    await passesBy(witness, 3);
    await postgres.kill();
    await restartEverything();
    await passesBy(witness, 3);
    expect(paused.requests).toEqual([]);
    await postgres.start();
    await everythingIsReady();
    expect(await statusOf('paused')).toMatchObject({ state: 'suspended', reason: 'paused' });
    expect(paused.requests).toEqual([]);
    await client.act('paused', 'resume');
    await postgres.kill();
    await restartEverything();
    await postgres.start();
    await waitUntil(() => distinct(paused) === 9, { what: 'what was held', timeoutMs: 60_000 });
    await everythingIsReady();
    expect((await statusOf('paused')).state).toBe('active');
    await Promise.all([client.deleteSubscription('paused'), client.deleteSubscription('witness-b')]);
  });

  it('unreachable and suspended, then found alive', { timeout: 180_000 }, async () => {
    // So many retries that none is given up before the suspension.
    const schedule = Array.from({ length: 20 }, () => '200ms');
    const away = await subscriber('away', { hold: '2s', retry: { schedule } });
    away.respondWith(() => 'reset');
    await postgres.kill();
    const first = published;
    const ids: string[] = [];
    for (let n = 0; n < 8; n++) ids.push(await publish());
    await waitUntil(async () => (await guardedSubscriptions(quittance.dispatcher, 'suspended')) === 1, {
      what: 'its suspension',
      timeoutMs: 60_000,
    });
    let failed = 0;
    await restartEverything(() => (failed = away.requests.length));
    expect(failed).toBeGreaterThanOrEqual(8);
    for (let n = 0; n < 4; n++) ids.push(await publish());
    await postgres.start();
    await everythingIsReady();
    await is('away', 'suspended');
    expect(await statusOf('away')).toMatchObject({ reason: 'unreachable' });
    for (const id of ids) await storyOf(client, id, allIn('held'));
    // Nothing was sent to it since, and the first probe is an hour away.
    expect(away.requests).toHaveLength(failed);

    const arrived = new Set<number>();
    away.respondWith((request) => {
      arrived.add(numberOf(request));
      return 204;
    });
    await client.act('away', 'resume');
    await postgres.kill();
    await restartEverything();
    await postgres.start();
    await waitUntil(() => arrived.size === ids.length, { what: 'all that was held', timeoutMs: 90_000 });
    expect(arrived).toEqual(new Set(numbersFrom(first)));
    await everythingIsReady();
    await client.deleteSubscription('away');
  });

  it('recovered: the replay goes on', { timeout: 180_000 }, async () => {
    const witness = await subscriber('witness-c');
    const missed = await subscriber('missed');
    missed.respondWith(() => 410);
    const since = new Date().toISOString();
    await publish();
    await is('missed', 'disabled');
    await passesBy(witness, 100);
    missed.respondWith(() => 204);
    await client.act('missed', 'resume');
    await waitUntil(
      () =>
        client.recover('missed', { since, rate: 20 }).then(
          () => true,
          () => false,
        ),
      { what: 'the replay to begin' },
    );
    await waitUntil(() => distinct(missed) >= 10, { what: 'its first events' });
    await postgres.kill();
    await restartEverything();
    await postgres.start();
    await waitUntil(() => distinct(missed) === 101, { what: 'all that it missed', timeoutMs: 90_000 });
    await everythingIsReady();
    await Promise.all([client.deleteSubscription('missed'), client.deleteSubscription('witness-c')]);
  });

  it('moved, with what stands in its old home', { timeout: 180_000 }, async () => {
    const moved = await subscriber('moved', { ordering: 'strict' });
    const first = published;
    await publish('anna');
    await waitUntil(() => moved.requests.length === 1, { what: 'an event at the old home' });
    const { partition: before } = await statusOf('moved');
    await client.act('moved', 'pause');
    for (let n = 0; n < 50; n++) await publish('anna');
    await waitUntil(async () => (await statusOf('moved')).backlog.records === 50, {
      what: 'a backlog in the old home',
    });
    await client.act('moved', 'move');
    const { partition } = await statusOf('moved');
    expect(partition).not.toBe(before);
    await postgres.kill();
    await restartEverything();
    for (let n = 0; n < 5; n++) await publish('anna');
    await postgres.start();
    await everythingIsReady();
    await waitUntil(async () => (await statusOf('moved')).move?.phase === 'draining', {
      what: 'the old home to be fenced off',
      timeoutMs: 60_000,
    });
    expect(moved.requests).toHaveLength(1);
    await client.act('moved', 'resume');
    const arrived = (): number[] => [...new Set(moved.requests.map(numberOf))];
    await waitUntil(() => arrived().length === published - first, { what: 'all events', timeoutMs: 60_000 });
    expect(arrived()).toEqual(numbersFrom(first));
    await waitUntil(async () => (await statusOf('moved')).move === undefined, {
      what: 'the end of the move',
      timeoutMs: 60_000,
    });
    expect((await statusOf('moved')).partition).toBe(partition);
    await client.deleteSubscription('moved');
  });
});
