import { encodeSubscriptionState, type SubscriptionState } from '@quittance/contracts';
import { waitUntil } from '@quittance/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { ControlFixture, DELIVERIES_PARTITIONS, type Answer } from './fixture.js';

const control = new ControlFixture(
  { kafkaBrokers: inject('kafkaBrokers'), postgresAdminUrl: inject('postgresAdminUrl') },
  { QUITTANCE_MOVE_SETTLE: '300ms' },
);
let partitions = DELIVERIES_PARTITIONS;

beforeAll(async () => {
  await control.createDatabase();
  await control.setUp();
  await control.start();
  await control.untilReady();
});

afterAll(() => control.stop());

const used: string[] = [];

beforeEach(async () => {
  for (const name of used.splice(0)) await control.delete(`homes/subscriptions/${name}`);
});

const pathOf = (name: string): string => `homes/subscriptions/${name}`;
const spec = (ordering: 'none' | 'strict'): object => ({
  spec: {
    events: ['order.*'],
    destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } },
    delivery: { ordering },
  },
});
async function put(name: string, ordering: 'none' | 'strict' = 'none'): Promise<Answer> {
  const answer = await control.put(pathOf(name), spec(ordering));
  if (answer.status === 201) used.push(name);
  return answer;
}
const homeOf = async (name: string): Promise<unknown> =>
  (await control.get(pathOf(name))).body.status['partition'];
/** Takes every partition. */
async function fill(ordering: 'none' | 'strict' = 'none'): Promise<void> {
  await Promise.all(Array.from({ length: partitions }, (_, index) => put(`fill${index}`, ordering)));
}
const refused = (code: string, ...words: string[]) => ({
  status: expect.any(Number),
  body: {
    code,
    detail: expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join(''))),
  },
});
const advice = (): string => `quittance topics grow deliveries --partitions ${partitions + 1}`;

/** What the dispatcher that owns the old home writes. */
async function drained(name: string): Promise<void> {
  const { body } = await control.get(pathOf(name));
  const move = (await moveOf(name)) as { id: string };
  const state: SubscriptionState = {
    namespace: 'homes',
    subscription: name,
    uid: body.metadata['uid'] as string,
    activation: 1,
    at: Date.now(),
    drained: move.id,
  };
  await control.publish(encodeSubscriptionState(control.topics.subscriptionState, state));
}

/** As Kafka has it. */
async function moveOf(name: string): Promise<object | undefined> {
  const change = (await control.changes()).findLast(
    (each) => each?.change === 'put' && each.resource.metadata.name === name,
  );
  if (change?.change !== 'put' || change.resource.kind !== 'Subscription') return undefined;
  return change.resource.status.move;
}

describe('strict order', () => {
  it('needs a partition of its own, and says how to add one', async () => {
    await fill();
    expect(await put('strict', 'strict')).toMatchObject(
      refused('partition_shared', advice(), 'repeat this request'),
    );
    expect((await control.get(pathOf('strict'))).status).toBe(404);
    // Others may share.
    expect((await put('plain')).body.status['partition']).toBe(0);
    expect(await put('plain', 'strict')).toMatchObject(
      refused('partition_shared', 'partition 0', advice(), 'POST .*/homes/subscriptions/plain/move'),
    );
    expect(await control.post(`${pathOf('plain')}/move`)).toMatchObject(
      refused('partition_shared', advice()),
    );

    await control.growDeliveries(++partitions);
    // Seen at once.
    expect(await put('plain', 'strict')).toMatchObject(
      refused('partition_shared', 'Move it with POST .*/homes/subscriptions/plain/move'),
    );
    expect((await put('strict', 'strict')).body.status['partition']).toBe(partitions - 1);
    // It shares with nobody: the next one goes elsewhere, now and when it alone is left.
    expect((await put('next')).body.status['partition']).toBe(1);
    expect(await control.post(`${pathOf('next')}/move`, { partition: partitions - 1 })).toMatchObject(
      refused('not_movable', 'strict order'),
    );
  });

  it('is given to a subscription whose home nobody else uses', async () => {
    expect((await put('alone')).status).toBe(201);
    expect(await put('alone', 'strict')).toMatchObject({ status: 200 });
    expect((await put('alone', 'none')).status).toBe(200);
  });

  it('of all subscriptions leaves no home to any other', async () => {
    await fill('strict');
    expect(await put('plain')).toMatchObject(refused('partition_shared', 'strict order', advice()));
    await control.delete(pathOf('fill1'));
    expect((await put('plain')).status).toBe(201);
  });

  it('is given to one of three that want the last partition at the same time', async () => {
    for (let index = 0; index < partitions - 1; index++) await put(`fill${index}`);
    const answers = await Promise.all(['x', 'y', 'z'].map((name) => put(name, 'strict')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 422, 422]);
  });
});

describe('a home', () => {
  it('moves to a free partition, is fenced off, and is left once it is drained', async () => {
    await put('a');
    await put('b');
    const from = await homeOf('a');
    const answer = await control.post(`${pathOf('a')}/move`);
    expect(answer).toMatchObject({
      status: 200,
      body: { status: { conditions: [{ type: 'Published', status: 'True' }] } },
    });
    const to = answer.body.status['partition'];
    expect(to).not.toBe(from);
    expect(to).not.toBe(await homeOf('b'));
    expect(await moveOf('a')).toMatchObject({ id: expect.any(String), from });
    // Its old home is nobody's until the move is over.
    await fill();
    const others = await Promise.all(used.filter((name) => name !== 'a').map((name) => homeOf(name)));
    expect(others).not.toContain(from);
    expect(await control.post(`${pathOf('b')}/move`, { partition: from })).toMatchObject(
      refused('not_movable', 'moving away'),
    );
    expect(await control.post(`${pathOf('a')}/move`)).toMatchObject(refused('not_movable', 'status.move'));

    await waitUntil(async () => 'fence' in ((await moveOf('a')) ?? {}), { what: 'the fence' });
    expect(await moveOf('a')).toMatchObject({ from, fence: '0' });
    // A replacement changes nothing of it.
    await control.put(pathOf('a'), spec('none'));
    expect(await moveOf('a')).toMatchObject({ from, fence: '0' });
    await drained('a');
    await waitUntil(async () => (await moveOf('a')) === undefined, { what: 'the end of the move' });
    expect(await homeOf('a')).toBe(to);
    expect(
      await control.query(
        `SELECT actor FROM control.audit_log WHERE action = 'move' AND name = 'a' ORDER BY seq`,
      ),
    ).toEqual([{ actor: 'admin' }, { actor: 'control' }, { actor: 'control' }]);
  });

  it('does not move to where it is, nor where nothing is, nor, with strict order, where others are', async () => {
    await put('a');
    await put('b');
    const [home, other] = [await homeOf('a'), await homeOf('b')];
    const move = (partition: unknown): Promise<Answer> => control.post(`${pathOf('a')}/move`, { partition });
    expect(await move(home)).toMatchObject({ status: 409, body: { code: 'not_movable' } });
    expect(await move(partitions)).toMatchObject({
      status: 422,
      body: { code: 'invalid_resource', errors: [{ path: '/partition' }] },
    });
    expect(await move(-1)).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    await put('a', 'strict');
    expect(await move(other)).toMatchObject(refused('partition_shared', `Partition ${String(other)}`));
    expect(await moveOf('a')).toBeUndefined();
    expect(await homeOf('a')).toBe(home);
  });

  it('goes on moving over a restart', async () => {
    await put('a');
    await control.post(`${pathOf('a')}/move`);
    await control.stop();
    await control.start();
    await control.untilReady();
    await waitUntil(async () => 'fence' in ((await moveOf('a')) ?? {}), { what: 'the fence' });
    await control.stop();
    await control.start();
    await control.untilReady();
    await drained('a');
    await waitUntil(async () => (await moveOf('a')) === undefined, { what: 'the end of the move' });
  });
});

describe('what was learnt of a subscription', () => {
  it('is removed after the subscription was, and is left to one that has its name now', async () => {
    const stateOf = (name: string, uid: string): SubscriptionState => ({
      namespace: 'homes',
      subscription: name,
      uid,
      activation: 1,
      at: Date.now(),
    });
    const { body } = await put('anew');
    const topic = control.topics.subscriptionState;
    await control.publish(
      encodeSubscriptionState(topic, stateOf('anew', 'the-uid-of-one-before')),
      encodeSubscriptionState(topic, stateOf('gone', String(body.metadata['uid']))),
    );
    await control.stop();
    await control.start();
    await waitUntil(async () => (await control.stateUnder('homes/gone')) === null, { what: 'the removal' });
    expect(await control.stateUnder('homes/anew')).toBeInstanceOf(Buffer);
  });
});
