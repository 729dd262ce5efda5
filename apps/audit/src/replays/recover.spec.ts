import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accepted, attemptFailed, delivered, gaveUp, held, T0, type Fact } from '../ledger/story.fixture.js';
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
