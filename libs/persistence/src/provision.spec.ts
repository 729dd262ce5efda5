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

  it('lets control read when keys were used, and nothing else of the ledger', async () => {
    expect(await rightsOnLedger(ownerUrl, controlUrl)).toEqual(['read key_usage']);
  });

  it('says which part of a URL is missing before it connects', async () => {
    await expect(
      provisionDatabase({ ownerUrl: 'postgres://127.0.0.1/x', services: [], report: () => undefined }),
    ).rejects.toThrow('postgres://role:password@host:port/database');
  });
});

/** What a role other than audit's may do with the ledger's tables: `read key_usage`. */
async function rightsOnLedger(owner: string, url: string): Promise<string[]> {
  const tables = (await asRole(
    owner,
    'audit',
    `SELECT relname FROM pg_class WHERE relnamespace = 'audit'::regnamespace AND relkind = 'r' ORDER BY 1`,
  )) as { relname: string }[];
  const statements = tables.flatMap(({ relname }) => [
    [`read ${relname}`, `SELECT * FROM audit.${relname}`],
    [`delete from ${relname}`, `DELETE FROM audit.${relname}`],
    [`insert into ${relname}`, `INSERT INTO audit.${relname} DEFAULT VALUES`],
    [`truncate ${relname}`, `TRUNCATE audit.${relname}`],
  ]);
  const rights: string[] = [];
  for (const [right, sql] of [...statements, ['create', 'CREATE TABLE audit.mine ()']] as [
    string,
    string,
  ][]) {
    if ((await asRole(url, 'control', sql)) !== 'store_misconfigured') rights.push(right);
  }
  return rights;
}

describe('setting up a database of an earlier release', () => {
  it('adds to it what is new, whatever the order of the schemas', async () => {
    const earlier = await startTestPostgres();
    try {
      const owner = earlier.urlOf('postgres', new URL(earlier.url).password);
      const url = earlier.urlOf('quittance_control', 'control');
      const control = { definition: CONTROL_SCHEMA, url };
      const audit = { definition: AUDIT_SCHEMA, url: earlier.urlOf('quittance_audit', 'audit') };
      const firstRelease = {
        schema: 'audit',
        entities: [],
        migrations: AUDIT_SCHEMA.migrations.slice(0, 1),
      } as const;
      const report = () => undefined;
      await provisionDatabase({
        ownerUrl: owner,
        services: [control, { ...audit, definition: firstRelease }],
        report,
      });
      await asRole(
        owner,
        'audit',
        `INSERT INTO audit.events (namespace, id, source, routed_at) VALUES ('shop', 'half', '/', now())`,
      );
      const lines: string[] = [];
      await provisionDatabase({
        ownerUrl: owner,
        services: [audit, control],
        report: (line) => lines.push(line),
      });
      const later = AUDIT_SCHEMA.migrations.slice(1).map((migration) => new migration().name);
      expect(lines).toContain(`schema audit: ran ${later.join(', ')}`);
      expect(await rightsOnLedger(owner, url)).toEqual(['read key_usage']);
      expect(await asRole(audit.url, 'audit', 'SELECT * FROM rejections')).toEqual([]);
      const invalid = await asRole(owner, 'audit', 'SELECT FROM pg_index WHERE NOT indisvalid');
      expect(invalid).toEqual([]);
    } finally {
      await earlier.remove();
    }
  }, 60_000);
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
