import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accepted,
  delivered,
  deliveryIdFor,
  held,
  heldAfterAttempt,
  routed,
  sample,
  T0,
  type Fact,
} from '../ledger/story.fixture.js';
import { ReplayInstallation, type AuditInstance } from './replays.fixture.js';

let installation: ReplayInstallation;
let instance: AuditInstance;

beforeAll(async () => {
  installation = await ReplayInstallation.start();
  instance = await installation.instance();
}, 60_000);

afterAll(() => installation.close());

beforeEach(async () => {
  await installation.empty();
  const { subscriptions } = installation.api;
  subscriptions.resume('slow');
});

function heldEvents(count: number): Fact[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `e${String(index).padStart(3, '0')}`;
    return [accepted(id), held(id, 'slow', T0 + 10_000 - index)];
  }).flat();
}

function inOrder(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `e${String(index).padStart(3, '0')}>slow`);
}

describe('what is held', () => {
  it('is sent in the order of the log once the subscription is active, each delivery once', async () => {
    const { subscriptions } = installation.api;
    subscriptions.stop('slow', 'paused');
    await installation.write(heldEvents(120));
    await instance.watch.look();
    await instance.runner.round();
    expect(await installation.replays('slow')).toEqual([]);
    subscriptions.resume('slow');
    await instance.watch.look();
    await instance.watch.look();
    const replays = await installation.finish(instance, 'slow');
    expect(replays).toMatchObject([
      { kind: 'held', state: 'completed', total: 120, done: 120, createdBy: 'quittance', rate: 500 },
    ]);
    expect(installation.sent).toEqual(inOrder(120));
    expect(await installation.stateOf('e007', 'slow')).toBe('pending');
    await instance.watch.look();
    expect(await installation.replays('slow')).toHaveLength(1);
  });

  it('is sent again when it was held again, and not when it arrived', async () => {
    await installation.write(heldEvents(2));
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    await installation.write([
      heldAfterAttempt('e000', 'slow', 1, T0 + 20_000),
      delivered('e001', 'slow', 1, T0 + 20_000),
      // Read from Kafka once more.
      held('e001', 'slow', T0 + 9_999),
    ]);
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual([...inOrder(2), 'e000>slow']);
  });

  it('stays held when that is the answer, however soon it comes', async () => {
    await installation.write(heldEvents(2));
    // The ledger has read it before the batch is done.
    const answer = [held('e000', 'slow', T0 + 20_000, 'paused')];
    const slow = await installation.instance({ onPublished: () => installation.write(answer) });
    await slow.watch.look();
    await installation.finish(slow, 'slow');
    expect(await installation.stateOf('e000', 'slow')).toBe('held');
    expect(await installation.stateOf('e001', 'slow')).toBe('pending');
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual([...inOrder(2), 'e000>slow']);
  });

  it('is sent as a sample when it is one', async () => {
    await installation.write([sample('a', 'slow'), held('a', 'slow', T0), ...heldEvents(1)]);
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual(['a>slow!', 'e000>slow']);
  });

  it('waits while the subscription is stopped again, and goes on after that', async () => {
    const { subscriptions } = installation.api;
    await installation.write(heldEvents(80));
    await instance.watch.look();
    await instance.runner.round();
    await instance.runner.round();
    expect(installation.sent).toEqual(inOrder(50));
    subscriptions.stop('slow', 'unreachable');
    await expect
      .poll(async () => {
        await instance.runner.round();
        return (await installation.replays('slow'))[0]?.waiting;
      })
      .toBe('The subscription "slow" is suspended.');
    subscriptions.resume('slow');
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual(inOrder(80));
  });

  it('is not sent for a subscription that its spec pauses, nor before its news has settled', async () => {
    installation.api.subscriptions.add('slow', { paused: true });
    await installation.write(heldEvents(1));
    await instance.watch.look();
    expect(await installation.replays('slow')).toEqual([]);
    await installation.empty();
    installation.api.subscriptions.resume('slow');
    // A dispatcher whose clock is ahead.
    await installation.write([accepted('new'), held('new', 'slow', Date.now() + 60_000)]);
    await instance.watch.look();
    expect(await installation.replays('slow')).toEqual([]);
  });

  it('is not sent twice when somebody retried it by hand meanwhile', async () => {
    await installation.write(heldEvents(2));
    await instance.watch.look();
    await instance.runner.round();
    const answer = await installation.api.call(`deliveries/${deliveryIdFor('e000', 'slow')}/retry`, {
      method: 'POST',
    });
    expect(answer.status).toBe(202);
    const [replay] = await installation.finish(instance, 'slow');
    expect(replay).toMatchObject({ state: 'completed', total: 2, done: 2 });
    expect(installation.sent).toEqual(['e001>slow']);
  });

  it('is given up when the subscription was deleted', async () => {
    await installation.write([...heldEvents(2), accepted('x'), routed('x', ['slow'])]);
    installation.api.subscriptions.remove('slow');
    await instance.watch.look();
    expect(installation.outcomes.sort()).toEqual([
      'dead e000 subscription_deleted',
      'dead e001 subscription_deleted',
    ]);
    expect(await installation.api.deliveryOf('e000', 'slow')).toMatchObject({
      state: 'dead',
      error: { code: 'subscription_deleted', message: expect.stringMatching(/does not exist/) },
    });
    expect(await installation.stateOf('x', 'slow')).toBe('pending');
    await instance.watch.look();
    expect(installation.outcomes).toHaveLength(2);
  });

  it('keeps no other subscription from being written about while it is given up', async () => {
    const names = ['gone-1', 'gone-2'];
    await installation.write(names.flatMap((name) => [accepted(name), held(name, name, T0)]));
    let batches = 0;
    const slow = await installation.instance({
      // Of the first one, while Kafka takes what is said of the second.
      onPublished: async () => {
        if (++batches === 2) await installation.write([delivered('gone-1', 'gone-1', 1, T0 + 9)]);
      },
    });
    await slow.watch.look();
    expect(installation.outcomes).toHaveLength(2);
    expect(await installation.stateOf('gone-1', 'gone-1')).toBe('delivered');
    expect(await installation.stateOf('gone-2', 'gone-2')).toBe('dead');
  });

  it('keeps no other subscription waiting when Kafka does not take that it is given up', async () => {
    const names = ['a-gone', 'z-gone'];
    await installation.write([
      ...names.flatMap((name) => [accepted(name), held(name, name, T0)]),
      ...heldEvents(2),
    ]);
    installation.kafkaIsDown = true;
    await expect(instance.watch.look()).rejects.toThrow('Kafka is gone.');
    expect(await installation.replays('slow')).toMatchObject([{ kind: 'held', state: 'running' }]);
    installation.kafkaIsDown = false;
    await instance.watch.look();
    expect(installation.outcomes).toHaveLength(2);
  });

  it('is neither sent nor given up for a subscription that a later release wrote', async () => {
    const { subscriptions } = installation.api;
    await installation.write(heldEvents(2));
    subscriptions.writeUnreadable('slow');
    await instance.watch.look();
    subscriptions.remove('slow');
    subscriptions.writeUnreadable('slow');
    await instance.watch.look();
    expect(installation.outcomes).toEqual([]);
    expect(await installation.replays('slow')).toEqual([]);
    const refused = await installation.api.call('subscriptions/slow/replays', {
      method: 'POST',
      json: { since: new Date(T0).toISOString() },
    });
    expect([refused.status, refused.body]).toEqual([
      409,
      expect.objectContaining({ code: 'not_replayable', detail: expect.stringMatching(/later release/) }),
    ]);
    subscriptions.resume('slow');
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual(inOrder(2));
  });

  it('waits for its event as long as it can come, and is given up after that', async () => {
    const young = Date.now() - 60_000;
    await installation.write([held('gone', 'slow', T0), held('late', 'slow', young), ...heldEvents(1)]);
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual(inOrder(1));
    expect(installation.outcomes).toEqual(['dead gone event_gone']);
    expect(await installation.stateOf('late', 'slow')).toBe('held');
    await installation.write([accepted('late')]);
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.sent).toEqual([...inOrder(1), 'late>slow']);
  });

  it('is given up, too, when nothing else is held', async () => {
    await installation.write([held('gone', 'slow', T0)]);
    await instance.watch.look();
    await installation.finish(instance, 'slow');
    expect(installation.outcomes).toEqual(['dead gone event_gone']);
    expect(await installation.replays('slow')).toMatchObject([
      { kind: 'held', state: 'completed', total: 0 },
    ]);
    await instance.watch.look();
    expect(await installation.replays('slow')).toHaveLength(1);
  });

  it('cannot be called off: the subscription can be paused', async () => {
    await installation.write(heldEvents(2));
    await instance.watch.look();
    const [replay] = await installation.replays('slow');
    const answer = await installation.api.call(`subscriptions/slow/replays/${replay?.id}/cancel`, {
      method: 'POST',
    });
    expect([answer.status, answer.body]).toEqual([409, expect.objectContaining({ code: 'not_cancellable' })]);
  });
});

describe('a probe', () => {
  it('sends the oldest held delivery of an unreachable subscriber, one at a time', async () => {
    await installation.write(heldEvents(3));
    installation.api.subscriptions.stop('slow', 'unreachable');
    await instance.watch.look();
    await instance.watch.look();
    const [probe] = await installation.finish(instance, 'slow');
    expect(probe).toMatchObject({ kind: 'probe', state: 'completed', total: 1, done: 1 });
    expect(installation.sent).toEqual(['e000>slow']);
    await instance.watch.look();
    expect(await installation.replays('slow')).toHaveLength(1);
  });

  it('comes at its interval, for as long as the subscriber is unreachable, and only the last is remembered', async () => {
    const eager = await installation.instance({ probeIntervalMs: 1 });
    await installation.write(heldEvents(3));
    const { subscriptions } = installation.api;
    subscriptions.stop('slow', 'unreachable');
    for (const sent of [['e000'], ['e000', 'e001']]) {
      await eager.watch.look();
      expect(await installation.finish(eager, 'slow')).toHaveLength(1);
      expect(installation.sent).toEqual(sent.map((id) => `${id}>slow`));
    }
    for (const code of ['paused', 'halted', 'gone'] as const) {
      subscriptions.stop('slow', code);
      await eager.watch.look();
      await installation.finish(eager, 'slow');
    }
    expect(installation.sent).toHaveLength(2);
  });

  it('is not sent before the subscriber has been given up for an interval', async () => {
    await installation.write(heldEvents(1));
    installation.api.subscriptions.stop('slow', 'unreachable', Date.now());
    await instance.watch.look();
    expect(await installation.replays('slow')).toEqual([]);
  });
});
