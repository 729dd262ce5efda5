import { StoreError } from '@quittance/persistence';
import { waitUntil } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepted, T0 } from '../ledger/story.fixture.js';
import { ReplayInstallation } from './replays.fixture.js';

let installation: ReplayInstallation;

beforeAll(async () => {
  installation = await ReplayInstallation.start();
  installation.api.subscriptions.add('billing');
}, 60_000);

afterAll(() => installation.close());

const BODY = { since: new Date(T0).toISOString(), rate: 10_000 };
const COUNT = 320;

function id(index: number): string {
  return `e${String(index).padStart(3, '0')}`;
}

describe('instances of audit', () => {
  it('take over a replay from one that was killed: nothing is skipped, at most one batch is sent twice', async () => {
    await installation.write(
      Array.from({ length: COUNT }, (_, index) => accepted(id(index), { acceptedAt: T0 + index })),
    );
    let batches = 0;
    const first = await installation.instance({
      // Kafka has the batch, Postgres does not know of it.
      onPublished: async () => {
        if (++batches === 2) await installation.kill(first);
      },
    });
    const { id: replay } = await installation.recover('billing', BODY);
    await expect(
      (async () => {
        for (;;) await first.runner.round();
      })(),
    ).rejects.toThrow(StoreError);
    expect(await installation.replay('billing', replay)).toMatchObject({ state: 'running', done: 100 });
    expect(installation.sent).toHaveLength(200);

    const second = await installation.instance();
    const [ended] = await installation.finish(second, 'billing');
    expect(ended).toMatchObject({ state: 'completed', total: COUNT, done: COUNT });
    const all = Array.from({ length: COUNT }, (_, index) => `${id(index)}>billing?`);
    expect(installation.sent).toEqual([...all.slice(0, 200), ...all.slice(100)]);
  });

  it('share a replay without sending anything twice', async () => {
    installation.sent.length = 0;
    const instances = await Promise.all([installation.instance(), installation.instance()]);
    await installation.recover('billing', BODY);
    await Promise.all(instances.map((instance) => installation.finish(instance, 'billing')));
    const all = Array.from({ length: COUNT }, (_, index) => `${id(index)}>billing?`);
    expect(installation.sent).toEqual(all);
  });

  it('go on after Postgres was away: nothing is skipped, at most one batch is sent twice', async () => {
    installation.sent.length = 0;
    const instance = await installation.instance();
    instance.runner.start();
    const { id: replay } = await installation.recover('billing', { ...BODY, rate: 500 });
    await waitUntil(() => installation.sent.length > 0, { what: 'the first batch' });
    await installation.api.database.server.stop();
    await installation.api.database.server.start();
    await waitUntil(async () => (await installation.replay('billing', replay)).state === 'completed', {
      what: 'the end of the replay',
    });
    await instance.runner.onModuleDestroy();
    const all = Array.from({ length: COUNT }, (_, index) => `${id(index)}>billing?`);
    expect([...new Set(installation.sent)]).toEqual(all);
    expect(installation.sent.length).toBeLessThanOrEqual(COUNT + 50);
  }, 60_000);
});
