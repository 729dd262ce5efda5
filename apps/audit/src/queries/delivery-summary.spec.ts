import { AUDIT_SCHEMA, Database } from '@quittance/persistence';
import { waitUntil } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import {
  accepted,
  attemptFailed,
  delivered,
  gaveUp,
  held,
  routed,
  T0,
  uidOf,
  writeFacts,
} from '../ledger/story.fixture.js';
import { DeliverySummaries, MAX_COUNTED } from './delivery-summary.js';
import type { DeliveriesSummary } from './views.js';

let api: AuditApi;

beforeAll(async () => {
  api = await AuditApi.start();
}, 60_000);

afterAll(() => api.close());

const PATH = 'subscriptions/billing/deliveries-summary';

async function summary(path = PATH): Promise<DeliveriesSummary> {
  return (await api.call<DeliveriesSummary>(path)).body;
}

const NONE = { count: 0, isCapped: false };
const NOTHING: DeliveriesSummary = {
  pending: NONE,
  held: NONE,
  dead: NONE,
  oldestPendingAt: null,
  oldestHeldAt: null,
  nextAttemptAt: null,
  lastDeliveredAt: null,
};

describe('the summary of a subscription', () => {
  it('tells what is pending, held and dead, and when something happens next', async () => {
    expect(await summary()).toEqual(NOTHING);
    await Promise.all(
      writeFacts(api.writer, [
        accepted('a'),
        routed('a', ['billing', 'stock'], { at: T0 + 2 }),
        attemptFailed('b', 'billing', 1, T0 + 5, T0 + 9_000),
        attemptFailed('c', 'billing', 1, T0 + 6, T0 + 8_000),
        held('d', 'billing', T0 + 7),
        held('e', 'billing', T0 + 8),
        gaveUp('f', 'billing', 1, T0 + 9),
        delivered('g', 'billing', 1, T0 + 11),
        delivered('h', 'billing', 1, T0 + 10),
      ]),
    );
    const expected = {
      pending: { count: 3, isCapped: false },
      held: { count: 2, isCapped: false },
      dead: { count: 1, isCapped: false },
      oldestPendingAt: new Date(T0 + 2).toISOString(),
      oldestHeldAt: new Date(T0 + 7).toISOString(),
      nextAttemptAt: new Date(T0 + 8_000).toISOString(),
      lastDeliveredAt: new Date(T0 + 11).toISOString(),
    };
    expect(await summary()).toEqual(expected);
    expect(await summary(`${PATH}?uid=${uidOf('billing')}`)).toEqual(expected);
    expect(await summary(`${PATH}?uid=another`)).toEqual(NOTHING);
  });

  it('reads a bounded number of rows, whatever an earlier subscription of the same name has left', async () => {
    const left = 2 * MAX_COUNTED;
    const url = api.database.server.urlOf('quittance_audit', 'secret');
    const database = new Database({ url, ...AUDIT_SCHEMA, poolSize: 1 });
    database.start();
    await waitUntil(() => database.health.ready, { what: 'the database' });
    await database.run((manager) =>
      manager.query(
        `INSERT INTO audit.deliveries (id, namespace, event_id, event_source, subscription, subscription_uid, created_at,
                                       delivered_at, news)
         SELECT state || n, 'shop', 'e' || n, '/shop', 'anew', 'former', to_timestamp(n),
                CASE state WHEN 'delivered' THEN to_timestamp(n) END, 4
           FROM generate_series(1, $1::int) AS n CROSS JOIN (VALUES ('dead'), ('delivered')) AS each (state)`,
        [left],
      ),
    );
    await Promise.all(
      writeFacts(api.writer, [gaveUp('x', 'anew', 1, T0), delivered('y', 'anew', 1, T0 + 1)]),
    );
    const rowsRead = async (): Promise<number> => {
      await database.run((manager) => manager.query(`SELECT pg_stat_force_next_flush()`));
      const [row] = await database.run((manager) =>
        manager.query<{ rows: number }[]>(
          `SELECT (seq_tup_read + idx_tup_fetch)::int AS rows FROM pg_stat_user_tables WHERE relname = 'deliveries'`,
        ),
      );
      return row!.rows;
    };
    const before = await rowsRead();
    const told = await new DeliverySummaries(database).of('shop', 'anew', uidOf('anew'));
    expect((await rowsRead()) - before).toBeLessThan(2.5 * MAX_COUNTED);
    expect(told).toMatchObject({
      dead: { count: 1, isCapped: false },
      lastDeliveredAt: new Date(T0 + 1).toISOString(),
    });
    await database.close();
  });

  it('counts so far and no farther', async () => {
    const facts = Array.from({ length: MAX_COUNTED + 1 }, (_, index) => held(`many-${index}`, 'slow', T0));
    await Promise.all(writeFacts(api.writer, facts));
    const { held: counted } = await summary('subscriptions/slow/deliveries-summary');
    expect(counted).toEqual({ count: MAX_COUNTED, isCapped: true });
  });
});
