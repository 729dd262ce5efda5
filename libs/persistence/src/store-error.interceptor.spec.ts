import type { ExecutionContext } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { startTestPostgres, waitUntil, type TestPostgres } from '@quittance/testing';
import { defer, lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Database } from './database.js';
import { provisionDatabase } from './provision.js';
import { CONTROL_SCHEMA } from './schemas.js';
import { StoreErrorInterceptor } from './store-error.interceptor.js';
import type { StoreError } from './store-error.js';

let postgres: TestPostgres;
let database: Database;
const told: StoreError[] = [];
const interceptor = new StoreErrorInterceptor((error) => told.push(error));

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = postgres.urlOf('quittance_control', 'control');
  const services = [{ definition: CONTROL_SCHEMA, url }];
  await provisionDatabase({ ownerUrl: postgres.url, services, report: () => undefined });
  database = new Database({ url, ...CONTROL_SCHEMA });
  database.start();
  await waitUntil(() => database.health.ready, { what: 'the database' });
}, 60_000);

afterAll(async () => {
  await database.close();
  await postgres.remove();
});

beforeEach(() => {
  told.length = 0;
});

/** As a handler that asks this. */
function answerTo(sql: string, ...parameters: unknown[]): Promise<unknown> {
  const handle = () => defer(() => database.run((manager) => manager.query(sql, parameters)));
  return lastValueFrom(interceptor.intercept({} as ExecutionContext, { handle }));
}

it('answers what may work later with 503, and says so in the log', async () => {
  await expect(
    answerTo(`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01', MESSAGE = 'deadlock'; END $$`),
  ).rejects.toMatchObject({ code: 'store_unavailable', status: 503 });
  expect(told).toMatchObject([{ code: 'store_contended' }]);
});

it('answers text that Postgres cannot hold as a mistake of the client', async () => {
  const answer = answerTo('SELECT FROM resources WHERE name = $1', 'a\0b');
  await expect(answer).rejects.toThrow(Problem);
  await expect(answer).rejects.toMatchObject({ code: 'malformed_request', status: 400 });
  expect(told).toEqual([]);
});

it('leaves it to others what the database rejects besides', async () => {
  await expect(answerTo('SELECT $1::int', 'seven')).rejects.toMatchObject({ code: 'store_rejected' });
});
