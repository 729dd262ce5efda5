import { startTestPostgres, type TestPostgres } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from './data-source.js';
import { provisionDatabase } from './provision.js';
import { scramVerifier } from './roles.js';
import { AUDIT_SCHEMA, CONTROL_SCHEMA } from './schemas.js';
import { storeErrorOf } from './store-error.js';

let postgres: TestPostgres;
let ownerUrl: string;
let controlUrl: string;
let auditUrl: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const admin = createDataSource({ url: postgres.url, schema: 'control', entities: [] });
  await admin.initialize();
  await admin.query(`CREATE ROLE quittance_owner LOGIN CREATEROLE PASSWORD 'owner'`);
  await admin.query(`GRANT CREATE ON DATABASE quittance TO quittance_owner`);
  await admin.destroy();
  ownerUrl = postgres.urlOf('quittance_owner', 'owner');
  controlUrl = postgres.urlOf('quittance_control', "it's c0ntrol");
  auditUrl = postgres.urlOf('quittance_audit', 'audit');
}, 60_000);

afterAll(() => postgres.remove());

async function provision(): Promise<string[]> {
  const lines: string[] = [];
  await provisionDatabase({
    ownerUrl,
    services: [
      { definition: CONTROL_SCHEMA, url: controlUrl },
      { definition: AUDIT_SCHEMA, url: auditUrl },
    ],
    report: (line) => lines.push(line),
  });
  return lines;
}

async function asRole(url: string, schema: 'control' | 'audit', sql: string): Promise<unknown> {
  const source = createDataSource({ url, schema, entities: [] });
  await source.initialize();
  try {
    return await source.query(sql).catch((error: unknown) => storeErrorOf(error)?.code ?? error);
  } finally {
    await source.destroy();
  }
}

describe('setting up the database', () => {
  it('succeeds in two runs at the same time, and does each thing once', async () => {
    const [first, second] = await Promise.all([provision(), provision()]);
    const all = [...first, ...second].join('\n');
    expect(all.match(/created role quittance_control/g)).toHaveLength(1);
    expect(all.match(/schema control: ran CreateResources/g)).toHaveLength(1);
    expect(all.match(/schema control is up to date/g)).toHaveLength(1);
  });

  it('can be repeated, and follows a changed password', async () => {
    auditUrl = postgres.urlOf('quittance_audit', 'rotated');
    const lines = await provision();
    expect(lines).toContain('schema control is up to date');
    expect(lines).toContain('role quittance_audit exists; password set');
    await expect(asRole(auditUrl, 'audit', 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('lets a service read and write its own schema only', async () => {
    expect(await asRole(controlUrl, 'control', 'SELECT * FROM resources')).toEqual([]);
    expect(await asRole(auditUrl, 'audit', 'SELECT * FROM control.resources')).toBe('store_misconfigured');
    expect(await asRole(controlUrl, 'control', 'SELECT * FROM audit.migrations')).toBe('store_misconfigured');
    expect(await asRole(controlUrl, 'control', 'CREATE TABLE mine ()')).toBe('store_misconfigured');
    expect(await asRole(controlUrl, 'control', 'DELETE FROM audit_log')).toBe('store_misconfigured');
    expect(await asRole(controlUrl, 'control', 'DELETE FROM migrations')).toBe('store_misconfigured');
  });

  it('says which part of a URL is missing before it connects', async () => {
    await expect(
      provisionDatabase({ ownerUrl: 'postgres://127.0.0.1/x', services: [], report: () => undefined }),
    ).rejects.toThrow('postgres://role:password@host:port/database');
  });
});

describe('a password verifier', () => {
  it('is the one of RFC 7677', () => {
    // The RFC's example: user "user", password "pencil", this salt, 4096 iterations.
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });
});
