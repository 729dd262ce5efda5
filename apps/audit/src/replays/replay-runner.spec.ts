import { createLogger } from '@quittance/service';
import { waitUntil } from '@quittance/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accepted, T0 } from '../ledger/story.fixture.js';
import { ReplayInstallation } from './replays.fixture.js';

let installation: ReplayInstallation;

beforeAll(async () => {
  installation = await ReplayInstallation.start();
  installation.api.subscriptions.add('billing');
  installation.api.subscriptions.add('stock');
}, 60_000);

afterAll(() => installation.close());

it('goes on with the others when Postgres refuses a step of the replay that is due for longest', async () => {
  const body = { since: new Date(T0).toISOString(), rate: 10_000 };
  await installation.write([accepted('a')]);
  const instance = await installation.instance();
  const { id: broken } = await installation.recover('billing', body);
  await installation.admin.query(`UPDATE audit.replays SET cursor = '["no time", "0"]' WHERE id = $1`, [
    broken,
  ]);
  await installation.recover('stock', body);
  const [ended] = await installation.finish(instance, 'stock');
  expect(ended).toMatchObject({ state: 'completed', total: 1, done: 1 });
  expect(installation.sent).toEqual(['a>stock?']);
  expect(await installation.replay('billing', broken)).toMatchObject({
    state: 'running',
    waiting: 'Something went wrong. It is tried again.',
  });
});

it('says once that the tables are not there yet', async () => {
  const logger = createLogger({ service: 'audit', version: '0', level: 'silent' });
  const warn = vi.spyOn(logger, 'warn');
  const { runner } = await installation.instance({ logger });
  const round = vi.spyOn(runner, 'round');
  await installation.admin.query('ALTER TABLE audit.replays RENAME TO elsewhere');
  try {
    runner.start();
    await waitUntil(() => round.mock.calls.length >= 3, { what: 'the third round' });
    expect(warn).toHaveBeenCalledTimes(1);
  } finally {
    await installation.admin.query('ALTER TABLE audit.elsewhere RENAME TO replays');
    await runner.onModuleDestroy();
  }
});
