import { startTestPostgres, type TestPostgres } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createDataSource } from './data-source.js';
import { Database } from './database.js';
import { provisionDatabase } from './provision.js';
import { CONTROL_SCHEMA } from './schemas.js';
import { StoreError, storeErrorOf } from './store-error.js';

let postgres: TestPostgres;
let url: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  url = postgres.urlOf('quittance_control', 'control');
}, 60_000);

afterAll(() => postgres.remove());

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => storeErrorOf(error),
  );

describe('a service and its database', () => {
  it('starts before set-up, and without the database, and finds both later', async () => {
    const seen: string[] = [];
    const database = new Database({ url, ...CONTROL_SCHEMA, onHealth: ({ detail }) => seen.push(detail) });
    database.start();
    expect(database.health.ready).toBe(false);
    await vi.waitFor(() => expect(database.health.detail).toContain('store_misconfigured'), 5000);
    await expect(database.run((manager) => manager.query('SELECT 1'))).rejects.toMatchObject({
      code: 'store_unavailable',
      retryable: true,
    });

    await provisionDatabase({
      ownerUrl: postgres.url,
      services: [{ definition: CONTROL_SCHEMA, url }],
      report: () => undefined,
    });
    await vi.waitFor(() => expect(database.health.ready).toBe(true), 10_000);

    await postgres.stop();
    await vi.waitFor(() => expect(database.health.ready).toBe(false), 10_000);
    await expect(database.run((manager) => manager.query('SELECT 1'))).rejects.toMatchObject({
      code: 'store_unavailable',
      retryable: true,
    });

    await postgres.start();
    await vi.waitFor(() => expect(database.health.ready).toBe(true), 10_000);
    await expect(database.run((manager) => manager.query('SELECT 1 AS one'))).resolves.toEqual([{ one: 1 }]);
    expect(seen.some((detail) => detail.startsWith('store_unavailable'))).toBe(true);
    await database.close();
  }, 60_000);
});

describe('a commit', () => {
  it('is on disk when it is acknowledged, however the server is set up', async () => {
    const admin = createDataSource({ url: postgres.adminUrl, schema: 'control', entities: [] });
    await admin.initialize();
    await admin.query('ALTER SYSTEM SET synchronous_commit = off');
    await admin.query('SELECT pg_reload_conf()');
    await admin.destroy();
    const source = createDataSource({ url, schema: 'control', entities: [] });
    await source.initialize();
    expect(await source.query('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'on' }]);
    await source.destroy();
  });
});

describe('what the database throws', () => {
  it('is retryable unless the data are at fault', async () => {
    const source = createDataSource({ ...CONTROL_SCHEMA, url: postgres.url, statementTimeoutMs: 200 });
    await source.initialize();
    const outcomes = {
      duplicate: await failureOf(source.query(`INSERT INTO migrations SELECT * FROM migrations`)),
      nulByte: await failureOf(source.query(`SELECT $1::jsonb`, ['"\\u0000"'])),
      missingTable: await failureOf(source.query(`SELECT * FROM nowhere`)),
      slow: await failureOf(source.query(`SELECT pg_sleep(10)`)),
      ended: await failureOf(source.query(`SELECT pg_terminate_backend(pg_backend_pid())`)),
    };
    await source.destroy();
    expect(outcomes).toMatchObject({
      duplicate: { code: 'store_rejected', retryable: false },
      nulByte: { code: 'store_rejected', retryable: false },
      missingTable: { code: 'store_misconfigured', retryable: true },
      slow: { code: 'store_contended', retryable: true },
      ended: { code: 'store_unavailable', retryable: true },
    });
  }, 20_000);

  it('is told apart from what other code throws', () => {
    expect(storeErrorOf(new TypeError('x is undefined'))).toBeUndefined();
    const error = new StoreError('store_contended', 'busy');
    expect(storeErrorOf(error)).toBe(error);
  });

  it('is a deadlock that may be repeated', async () => {
    const source = createDataSource({ ...CONTROL_SCHEMA, url: postgres.url });
    await source.initialize();
    const [one, two] = [source.createQueryRunner(), source.createQueryRunner()];
    await one.query(`BEGIN; SELECT pg_advisory_xact_lock(101)`);
    await two.query(`BEGIN; SELECT pg_advisory_xact_lock(102)`);
    const results = await Promise.all([
      failureOf(one.query(`SELECT pg_advisory_xact_lock(102)`)),
      failureOf(two.query(`SELECT pg_advisory_xact_lock(101)`)),
    ]);
    await Promise.all([one.query('ROLLBACK'), two.query('ROLLBACK')]);
    await Promise.all([one.release(), two.release()]);
    await source.destroy();
    expect(results).toContainEqual(
      expect.objectContaining({ code: 'store_contended', retryable: true, sqlState: '40P01' }),
    );
  }, 20_000);
});
