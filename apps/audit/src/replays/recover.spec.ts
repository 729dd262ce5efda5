import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accepted,
  attemptFailed,
  delivered,
  disabled,
  gaveUp,
  held,
  routed,
  sample,
  T0,
  type Fact,
} from '../ledger/story.fixture.js';
import { collectMissed } from './collecting.js';
import { findReplay } from './replay-store.js';
import { ReplayInstallation, type AuditInstance } from './replays.fixture.js';

const SINCE = new Date(T0).toISOString();
const UNTIL = new Date(T0 + 60_000).toISOString();
const FAST = { since: SINCE, until: UNTIL, rate: 10_000 };

let installation: ReplayInstallation;
let instance: AuditInstance;

beforeAll(async () => {
  installation = await ReplayInstallation.start();
  instance = await installation.instance();
}, 60_000);

afterAll(() => installation.close());

beforeEach(async () => {
  await installation.empty();
  installation.api.subscriptions.add('billing');
  installation.api.subscriptions.resume('billing');
});

/** Later in the log, earlier by the clock of ingest. */
function events(count: number): Fact[] {
  return Array.from({ length: count }, (_, index) =>
    accepted(`e${String(index).padStart(3, '0')}`, { acceptedAt: T0 + 10_000 - index }),
  );
}

function inOrder(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `e${String(index).padStart(3, '0')}>billing?`);
}

/** Of the indexes of events, by this connection; it counts on over transactions. */
async function indexBlocksRead(manager: EntityManager): Promise<number> {
  const [read] = await manager.query<{ blocks: number }[]>(
    `SELECT sum(pg_stat_get_xact_blocks_fetched(indexrelid))::int AS blocks
       FROM pg_stat_user_indexes WHERE schemaname = 'audit' AND relname = 'events'`,
  );
  return read!.blocks;
}

describe('a recovery', () => {
  it('sends what the subscription did not get in the time, and nothing else', async () => {
    await installation.write([
      accepted('skipped', { acceptedAt: T0 }),
      accepted('dead', { acceptedAt: T0 + 1 }),
      gaveUp('dead', 'billing', 1, T0 + 5),
      accepted('delivered', { acceptedAt: T0 + 2 }),
      delivered('delivered', 'billing', 1, T0 + 5),
      accepted('tried', { acceptedAt: T0 + 3 }),
      attemptFailed('tried', 'billing', 1, T0 + 5, T0 + 9),
      accepted('held', { acceptedAt: T0 + 4 }),
      held('held', 'billing', T0 + 5),
      accepted('others', { acceptedAt: T0 + 5 }),
      delivered('others', 'stock', 1, T0 + 9),
      accepted('before', { acceptedAt: T0 - 1 }),
      accepted('last', { acceptedAt: T0 + 60_000 }),
      accepted('after', { acceptedAt: T0 + 60_001 }),
      accepted('other-type', {
        acceptedAt: T0 + 7,
        attributes: { id: 'other-type', source: '/x', type: 'invoice.sent', extensions: {} },
      }),
    ]);
    const asked = await installation.recover('billing', FAST);
    expect(asked).toMatchObject({ kind: 'recover', state: 'running', total: null, createdBy: 'admin' });
    const [replay] = await installation.finish(instance, 'billing');
    expect(installation.sent).toEqual(['skipped', 'dead', 'others', 'last'].map((id) => `${id}>billing?`));
    expect(replay).toMatchObject({
      id: asked.id,
      state: 'completed',
      total: 4,
      done: 4,
      remaining: 0,
      since: SINCE,
      until: UNTIL,
      finishedAt: expect.any(String),
      estimatedEnd: null,
      error: null,
    });
    // A filter that does not want it any more would leave it open for ever.
    expect(await installation.stateOf('dead', 'billing')).toBe('dead');
    const text = await instance.metrics.registry.metrics();
    expect(text).toContain('quittance_replayed_events_total{kind="recover",service="audit"} 4');
  });

  it('leaves out samples, its own and those of others', async () => {
    await installation.write([
      sample('others', 'stock'),
      sample('own', 'billing'),
      gaveUp('own', 'billing', 1, T0 + 5),
      accepted('real'),
    ]);
    await installation.recover('billing', FAST);
    const [replay] = await installation.finish(instance, 'billing');
    expect(replay).toMatchObject({ state: 'completed', total: 1 });
    expect(installation.sent).toEqual(['real>billing?']);
  });

  it('takes in what waited when the subscription was disabled, though it was accepted earlier', async () => {
    const before = { acceptedAt: T0 - 3_600_000 };
    const otherType = { id: 'type', source: '/shop/checkout', type: 'invoice.sent', extensions: {} };
    await installation.write([
      accepted('new', { acceptedAt: T0 + 1 }),
      ...['waited', 'early', 'late', 'sent'].map((id) => accepted(id, before)),
      accepted('failed', before),
      accepted('type', { ...before, attributes: otherType }),
      sample('sample', 'billing', before),
      ...['waited', 'sent', 'type', 'sample'].map((id) => disabled(id, 'billing', T0)),
      disabled('early', 'billing', T0 - 1),
      disabled('late', 'billing', T0 + 60_001),
      delivered('sent', 'billing', 1, T0 + 9),
      gaveUp('failed', 'billing', 1, T0 + 5),
      // Of what the time itself has, nothing comes twice.
      accepted('both', { acceptedAt: T0 + 2 }),
      disabled('both', 'billing', T0 + 3),
    ]);
    await installation.recover('billing', FAST);
    const [replay] = await installation.finish(instance, 'billing');
    expect(installation.sent).toEqual(['new', 'waited', 'both'].map((id) => `${id}>billing?`));
    expect(replay).toMatchObject({ state: 'completed', total: 3, done: 3 });
  });

  it('takes in what an earlier recovery could not send, since the subscription was disabled again', async () => {
    const skipped = { subscription: 'billing', subscriptionUid: 'uid-billing', reason: 'It answered 410.' };
    await installation.write([
      accepted('a', { acceptedAt: T0 - 3_600_000 }),
      routed('a', [], {
        at: T0 + 5,
        replay: true,
        filtered: true,
        skipped: [{ ...skipped, code: 'subscription_disabled' }],
        skippedCount: 1,
      }),
    ]);
    await installation.recover('billing', FAST);
    await installation.finish(instance, 'billing');
    expect(installation.sent).toEqual(['a>billing?']);
  });

  it('begins to read at its time, however much came before', async () => {
    await installation.write([accepted('a')]);
    await installation.admin.query(
      `INSERT INTO audit.events (namespace, id, source, type, accepted_at, log_position)
       SELECT 'shop', 'old' || n, '/', 'order.completed', $1::timestamptz - make_interval(secs => n), n
         FROM generate_series(1, 30000) AS n`,
      [SINCE],
    );
    await installation.admin.query('VACUUM ANALYZE audit.events');
    const { id } = await installation.recover('billing', FAST);
    const blocks = await installation.api.database.pool.transaction(async (manager) => {
      const replay = await findReplay(manager, id);
      const before = await indexBlocksRead(manager);
      await collectMissed(manager, replay!, () => true);
      return (await indexBlocksRead(manager)) - before;
    });
    expect(blocks).toBeLessThan(20);
    await installation.finish(instance, 'billing');
  });

  it('takes in what an ingest accepted whose clock is ahead, and leaves what is yet to be routed to the router', async () => {
    const ahead = { acceptedAt: Date.now() + 3_000 };
    const skipped = { subscription: 'billing', subscriptionUid: 'uid-billing', reason: 'It answered 410.' };
    await installation.write([
      accepted('skipped', ahead),
      routed('skipped', [], { skipped: [{ ...skipped, code: 'subscription_disabled' }], skippedCount: 1 }),
      accepted('coming', ahead),
    ]);
    await installation.recover('billing', { since: SINCE, rate: 10_000 });
    await installation.finish(instance, 'billing');
    expect(installation.sent).toEqual(['skipped>billing?']);
  });

  it('sends every event, also of those that have the same place in two logs', async () => {
    const twice = ['a', 'b'].map((id, index) => accepted(id, { acceptedAt: T0 + index }));
    await installation.write(twice.map((fact) => ({ ...fact, position: 7n })));
    await installation.recover('billing', FAST);
    const [replay] = await installation.finish(instance, 'billing');
    expect(replay).toMatchObject({ state: 'completed', total: 2, done: 2 });
    expect([...installation.sent].sort()).toEqual(['a>billing?', 'b>billing?']);
  });

  it('keeps the order of the log, over pages and batches', async () => {
    await installation.write(events(250));
    await installation.recover('billing', FAST);
    const [replay] = await installation.finish(instance, 'billing');
    expect(replay).toMatchObject({ state: 'completed', total: 250, done: 250 });
    expect(installation.sent).toEqual(inOrder(250));
  });

  it('tells how far it is, and sends no more than its rate allows', async () => {
    await installation.write(events(5));
    const { id, startedAt } = await installation.recover('billing', { ...FAST, rate: 1 });
    await instance.runner.round();
    expect(await installation.replay('billing', id)).toMatchObject({ total: 5, done: 0, remaining: 5 });
    await instance.runner.round();
    expect(installation.sent).toEqual(inOrder(1));
    expect(await installation.replay('billing', id)).toMatchObject({
      state: 'running',
      total: 5,
      done: 1,
      remaining: 4,
      waiting: null,
      estimatedEnd: expect.any(String),
    });
    const { rows } = await installation.admin.query<{ next_at: Date }>('SELECT next_at FROM audit.replays');
    expect(rows[0]!.next_at.getTime()).toBeGreaterThanOrEqual(Date.parse(startedAt) + 800);
  });

  it('waits until the ledger knows what was published before it was asked for', async () => {
    let hasArrived = false;
    const waiting = await installation.instance({ hasLedgerArrived: () => hasArrived });
    const { id } = await installation.recover('billing', FAST);
    await waiting.runner.round();
    expect(await installation.replay('billing', id)).toMatchObject({
      state: 'running',
      waiting: expect.stringMatching(/ledger/),
    });
    await installation.write(events(3));
    hasArrived = true;
    await installation.finish(waiting, 'billing');
    expect(installation.sent).toEqual(inOrder(3));
  });

  it('does not wait for a Kafka that does not say how far the ledger is', async () => {
    const silent = await installation.instance({ hasLedgerArrived: () => new Promise(() => undefined) });
    const { id } = await installation.recover('billing', FAST);
    const startedAt = performance.now();
    await silent.runner.round();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(await installation.replay('billing', id)).toMatchObject({
      state: 'running',
      waiting: 'Kafka cannot be asked how far the ledger is.',
    });
    await installation.finish(instance, 'billing');
  });

  it('waits while the subscription is stopped, and goes on where it was', async () => {
    await installation.write(events(150));
    const { id } = await installation.recover('billing', FAST);
    await instance.runner.round();
    await instance.runner.round();
    expect(installation.sent).toEqual(inOrder(100));
    installation.api.subscriptions.stop('billing', 'failing');
    await expect
      .poll(async () => {
        await instance.runner.round();
        return (await installation.replay('billing', id)).waiting;
      })
      .toBe('The subscription "billing" is disabled.');
    expect(installation.sent).toHaveLength(100);
    installation.api.subscriptions.resume('billing');
    await installation.finish(instance, 'billing');
    expect(installation.sent).toEqual(inOrder(150));
  });

  it('waits while Kafka cannot be reached', async () => {
    await installation.write(events(3));
    const { id } = await installation.recover('billing', FAST);
    installation.kafkaIsDown = true;
    await instance.runner.round();
    await instance.runner.round();
    expect(await installation.replay('billing', id)).toMatchObject({
      state: 'running',
      done: 0,
      waiting: 'Kafka cannot be reached.',
    });
    installation.kafkaIsDown = false;
    await installation.finish(instance, 'billing');
    expect(installation.sent).toEqual(inOrder(3));
  });

  it('does nothing while it is not known what holds now', async () => {
    await installation.write(events(3));
    await installation.recover('billing', FAST);
    installation.api.subscriptions.setFresh(false);
    try {
      await instance.runner.round();
      await instance.runner.round();
      expect(installation.sent).toEqual([]);
    } finally {
      installation.api.subscriptions.setFresh(true);
    }
    await installation.finish(instance, 'billing');
    expect(installation.sent).toHaveLength(3);
  });

  it('fails when the subscription is deleted, or another has its name', async () => {
    await installation.write(events(3));
    await installation.recover('billing', FAST);
    installation.api.subscriptions.remove('billing');
    const [gone] = await installation.finish(instance, 'billing');
    expect(gone).toMatchObject({ state: 'failed', error: expect.stringMatching(/does not exist/) });
    installation.api.subscriptions.add('billing');
    await installation.recover('billing', FAST);
    installation.api.subscriptions.add('billing', {}, 'another');
    const [other] = await installation.finish(instance, 'billing');
    expect(other).toMatchObject({ state: 'failed', error: expect.stringMatching(/created anew/) });
    expect(installation.sent).toEqual([]);
  });

  it('passes over events that were pruned meanwhile', async () => {
    await installation.write(events(3));
    await installation.recover('billing', FAST);
    await instance.runner.round();
    await installation.admin.query(`DELETE FROM audit.events WHERE id = 'e001'`);
    const [replay] = await installation.finish(instance, 'billing');
    expect(replay).toMatchObject({ state: 'completed', total: 3, done: 3 });
    expect(installation.sent).toEqual(['e000>billing?', 'e002>billing?']);
  });

  it('is cancelled at once, also while a batch is on its way, and leaves nothing behind', async () => {
    await installation.write(events(150));
    const { id } = await installation.recover('billing', FAST);
    const cancelling = await installation.instance({
      onPublished: () =>
        installation.api.call(`subscriptions/billing/replays/${id}/cancel`, { method: 'POST' }),
    });
    const [replay] = await installation.finish(cancelling, 'billing');
    expect(replay).toMatchObject({ state: 'cancelled', total: 150, done: 100, estimatedEnd: null });
    await expect
      .poll(async () => {
        await instance.runner.round();
        return (await installation.admin.query('SELECT FROM audit.replays WHERE NOT settled')).rowCount;
      })
      .toBe(0);
    expect((await installation.admin.query('SELECT FROM audit.replay_items')).rowCount).toBe(0);
    expect(installation.sent).toHaveLength(100);
  });
});
