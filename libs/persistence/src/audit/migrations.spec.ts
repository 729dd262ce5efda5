import { startTestPostgres, type TestPostgres } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '../data-source.js';
import { runMigrations } from '../migrate.js';
import { AUDIT_SCHEMA } from '../schemas.js';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres();
}, 60_000);

afterAll(() => postgres.remove());

const T0 = Date.UTC(2026, 0, 31, 12);

describe('a ledger of an earlier release', () => {
  it('keeps the state and the order of the news of its deliveries', async () => {
    const source = createDataSource({ url: postgres.url, schema: 'audit', entities: [] });
    await source.initialize();
    try {
      await source.query('CREATE SCHEMA audit');
      await runMigrations(postgres.url, { ...AUDIT_SCHEMA, migrations: AUDIT_SCHEMA.migrations.slice(0, 3) });
      const kinds = ['routed', 'replayed', 'attempted', 'dead', 'delivered'];
      for (const [kind, name] of kinds.entries()) {
        await source.query(
          `INSERT INTO audit.deliveries (id, namespace, event_id, event_source, subscription, subscription_uid,
             created_at, latest, delivered_at)
           VALUES ($1, 'shop', $1, '/', 'billing', 'uid', now(), $2, CASE WHEN $1 = 'delivered' THEN now() END)`,
          [name, name === 'routed' ? 0 : String(T0 * 4 + Math.min(kind, 3))],
        );
      }
      const before: unknown = await source.query(`SELECT id, state FROM audit.deliveries ORDER BY id`);

      await runMigrations(postgres.url, AUDIT_SCHEMA);
      expect(await source.query(`SELECT id, state FROM audit.deliveries ORDER BY id`)).toEqual(before);
      const news: unknown = await source.query(
        `SELECT id, news >> 3 AS at, (news & 7)::int AS kind FROM audit.deliveries ORDER BY news, id`,
      );
      expect(news).toEqual([
        { id: 'routed', at: '0', kind: 0 },
        { id: 'replayed', at: String(T0), kind: 1 },
        { id: 'attempted', at: String(T0), kind: 2 },
        { id: 'dead', at: String(T0), kind: 4 },
        { id: 'delivered', at: String(T0), kind: 4 },
      ]);
      expect(await source.query('SELECT FROM pg_index WHERE NOT indisvalid')).toEqual([]);
    } finally {
      await source.destroy();
    }
  });
});
