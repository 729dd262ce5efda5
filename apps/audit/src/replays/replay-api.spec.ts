import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { T0 } from '../ledger/story.fixture.js';
import { ReplayInstallation } from './replays.fixture.js';
import type { ReplayView } from './views.js';

let installation: ReplayInstallation;

beforeAll(async () => {
  installation = await ReplayInstallation.start();
}, 60_000);

afterAll(() => installation.close());

beforeEach(async () => {
  await installation.empty();
  installation.api.subscriptions.resume('billing');
});

const SINCE = new Date(T0).toISOString();
const PATH = 'subscriptions/billing/replays';

async function refused(body: unknown, path = PATH, key?: string): Promise<[number, unknown]> {
  const answer = await installation.api.call<{ code: string; detail: string }>(path, {
    method: 'POST',
    json: body,
    ...(key !== undefined && { key }),
  });
  return [answer.status, answer.body.code];
}

describe('asking for a replay', () => {
  it('is refused where it makes no sense', async () => {
    expect(await refused({})).toEqual([400, 'malformed_request']);
    expect(await refused({ since: 'yesterday' })).toEqual([400, 'malformed_request']);
    expect(await refused({ since: SINCE, rate: 0 })).toEqual([400, 'malformed_request']);
    expect(await refused({ since: SINCE, rate: 10_001 })).toEqual([400, 'malformed_request']);
    expect(await refused({ since: SINCE, from: SINCE })).toEqual([400, 'malformed_request']);
    expect(await refused({ since: SINCE, until: '2020-01-01T00:00:00Z' })).toEqual([
      400,
      'malformed_request',
    ]);
    expect(await refused({ since: '2999-01-01T00:00:00Z' })).toEqual([400, 'malformed_request']);
    expect(await refused({ since: SINCE }, 'subscriptions/nobody/replays')).toEqual([404, 'not_found']);
  });

  it('needs an active subscription', async () => {
    const { subscriptions } = installation.api;
    for (const code of ['paused', 'unreachable', 'halted', 'gone', 'failing'] as const) {
      subscriptions.stop('billing', code);
      expect([code, await refused({ since: SINCE })]).toEqual([code, [409, 'not_replayable']]);
    }
    subscriptions.resume('billing');
    subscriptions.add('billing', { paused: true });
    expect(await refused({ since: SINCE })).toEqual([409, 'not_replayable']);
  });

  it('needs a key that may', async () => {
    const reader = installation.api.newKey('reader', 'shop', ['read']);
    expect(await refused({ since: SINCE }, PATH, reader)).toEqual([403, 'forbidden']);
    const manager = installation.api.newKey('manager', 'shop', ['manage']);
    const answer = await installation.api.call<ReplayView>(PATH, {
      method: 'POST',
      key: manager,
      json: { since: SINCE, until: '2999-01-01T00:00:00Z' },
    });
    expect([answer.status, answer.body]).toEqual([
      202,
      expect.objectContaining({ rate: 100, createdBy: 'api-key:shop/manager', state: 'running' }),
    ]);
    // Not the future, beyond what clocks may differ.
    expect(Date.parse(answer.body.until!)).toBeLessThanOrEqual(Date.now() + 5_000);
  });

  it('is refused while another one runs for the subscription', async () => {
    const { id } = await installation.recover('billing', { since: SINCE });
    expect(await refused({ since: SINCE })).toEqual([409, 'replay_under_way']);
    const path = `${PATH}/${id}/cancel`;
    const cancelled = await installation.api.call<ReplayView>(path, { method: 'POST' });
    expect(cancelled).toMatchObject({ status: 200, body: { id, state: 'cancelled', total: null } });
    expect((await installation.api.call(path, { method: 'POST' })).body).toEqual(cancelled.body);
    await installation.recover('billing', { since: SINCE });
  });
});

describe('replays', () => {
  it('are listed newest first, page by page, and found by id', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { id } = await installation.recover('billing', { since: SINCE });
      await installation.api.call(`${PATH}/${id}/cancel`, { method: 'POST' });
      ids.unshift(id);
    }
    type List = { items: ReplayView[]; nextCursor?: string };
    const first = await installation.api.call<List>(`${PATH}?limit=2`);
    const second = await installation.api.call<List>(`${PATH}?limit=2&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...second.body.items].map((replay) => replay.id)).toEqual(ids);
    expect((await installation.api.call<List>(`${PATH}?kind=held`)).body.items).toEqual([]);
    expect((await installation.api.call<ReplayView>(`${PATH}/${ids[1]}`)).body.id).toBe(ids[1]);
    for (const path of [`${PATH}/nothing`, `subscriptions/other/replays/${ids[0]}`]) {
      expect((await installation.api.call(path)).status).toBe(404);
    }
  });
});
