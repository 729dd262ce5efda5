import { startTestPostgres, type TestPostgres } from '@quittance/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '../data-source.js';
import { runMigrations } from '../migrate.js';
import { CONTROL_SCHEMA } from '../schemas.js';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres();
}, 60_000);

afterAll(() => postgres.remove());

describe('a database of an earlier release', () => {
  it('keeps its API keys: the one credential of each becomes the present one', async () => {
    const source = createDataSource({ url: postgres.url, schema: 'control', entities: [] });
    await source.initialize();
    try {
      await source.query('CREATE SCHEMA control');
      const [first] = CONTROL_SCHEMA.migrations;
      await runMigrations(postgres.url, { ...CONTROL_SCHEMA, migrations: [first!] });
      const insert = (kind: string, secrets: object | null): Promise<unknown> =>
        source.query(
          `INSERT INTO control.resources
           VALUES ($1, 'shop', 'a', $2, '{}', '{}', 1, 1, '{}', NULL, $3, now(), now())`,
          [kind, randomUUID(), secrets],
        );
      const credential = { id: 'aaaabbbbccccdddd', sha256: 'ab'.repeat(32) };
      await insert('ApiKey', credential);
      await insert('Subscription', { signing: ['sb1.x'] });
      await insert('EventType', null);

      await runMigrations(postgres.url, CONTROL_SCHEMA);
      const rows: unknown = await source.query(`SELECT kind, secrets FROM control.resources ORDER BY kind`);
      expect(rows).toEqual([
        { kind: 'ApiKey', secrets: { credential, former: [] } },
        { kind: 'EventType', secrets: null },
        { kind: 'Subscription', secrets: { signing: ['sb1.x'] } },
      ]);
    } finally {
      await source.destroy();
    }
  });
});
