import { Topics, type ApiKeyStatus } from '@quittance/contracts';
import { CONTROL_SCHEMA, Database, provisionDatabase, ResourceRow } from '@quittance/persistence';
import { startTestPostgres, waitUntil, type TestPostgres } from '@quittance/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { Publication } from '../outbox/publication.js';
import { Relay } from '../outbox/relay.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { ResourceWriter } from '../resources/resource-writer.js';
import { catalogueOf, ConfigLog } from './config-log.fixture.js';
import { RevocationRecorder } from './revocation-recorder.js';

const NAME = 'checkout';
const CREDENTIAL = 'aaaabbbbccccdddd';
const REVOKED_AT = '2026-02-03T04:05:06.000Z';
const topics = new Topics();
const outbox = new OutboxRepository();
const resources = new ResourceRepository();
const writer = new ResourceWriter(resources, outbox);
let postgres: TestPostgres;
let database: Database;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const url = postgres.urlOf('quittance_control', 'control');
  await provisionDatabase({
    ownerUrl: postgres.url,
    services: [{ definition: CONTROL_SCHEMA, url }],
    report: () => undefined,
  });
  database = new Database({ url, ...CONTROL_SCHEMA });
  database.start();
  await waitUntil(() => database.health.ready, { what: 'the database' });
}, 60_000);

afterAll(async () => {
  await database.close();
  await postgres.remove();
});

/** One process of control. */
async function replicaOn(log: ConfigLog): Promise<{ relay: Relay; record: () => Promise<void> }> {
  const catalogue = await catalogueOf(log.records, (onRecord) => log.followers.push(onRecord));
  const relay = new Relay(database, outbox, log, topics);
  const publication = new Publication(relay, log, topics, 0);
  const recorder = new RevocationRecorder(catalogue, database, resources, writer, relay, publication);
  return {
    relay,
    record: async () => {
      for (const revocation of catalogue.revocations()) await recorder.record(revocation);
    },
  };
}

async function createKey(): Promise<ResourceRow> {
  const now = new Date();
  const row = Object.assign(new ResourceRow(), {
    kind: 'ApiKey',
    namespace: 'shop',
    name: NAME,
    uid: randomUUID(),
    labels: {},
    annotations: {},
    generation: 1,
    spec: { description: '', scopes: ['publish'] },
    status: null,
    secrets: { credential: { id: CREDENTIAL, sha256: 'ab'.repeat(32) }, former: [] },
    createdAt: now,
    updatedAt: now,
  });
  await database.transaction((manager) =>
    writer.write(manager, { actor: 'admin', action: 'create', before: null, after: row }),
  );
  return row;
}

const removeKey = (row: ResourceRow): Promise<void> =>
  database.transaction((manager) => writer.remove(manager, row, 'admin'));

const revoke = (log: ConfigLog, { uid }: ResourceRow): Promise<void> =>
  new Publication(new Relay(database, outbox, log, topics), log, topics, 0).publish({
    change: 'revoke',
    revocation: { namespace: 'shop', name: NAME, uid, revokedAt: REVOKED_AT, actor: 'api-key:shop/guard' },
  });

const auditLog = (): Promise<Record<string, unknown>[]> =>
  database.run((manager) =>
    manager.query(`SELECT actor, uid FROM audit_log WHERE action = 'revoke' ORDER BY seq`),
  );
const storedStatus = async (): Promise<ApiKeyStatus | null | undefined> => {
  const [row] = await database.run((manager) => manager.find(ResourceRow));
  return row?.status as ApiKeyStatus | null | undefined;
};

/** Nobody who has read as far as the revocation, or any further, lets the key in. */
async function expectNeverAlive(log: ConfigLog): Promise<void> {
  const from = log.changes.indexOf('revoke') + 1;
  expect(from).toBeGreaterThan(0);
  for (let count = from; count <= log.records.length; count++) {
    const known = (await log.readBy(count)).apiKey(CREDENTIAL);
    expect(known === undefined || known.revoked).toBe(true);
  }
}

let log: ConfigLog;
let key: ResourceRow;

beforeEach(async () => {
  await database.run((manager) => manager.query('DELETE FROM resources; DELETE FROM outbox'));
  await emptyAuditLog();
  log = new ConfigLog();
  key = await createKey();
  await new Relay(database, outbox, log, topics).flush();
});

/** The service's own role must not. */
async function emptyAuditLog(): Promise<void> {
  const owner = new Database({ url: postgres.url, schema: 'control', entities: [] });
  owner.start();
  await waitUntil(() => owner.health.ready, { what: 'the owner’s connection' });
  await owner.run((manager) => manager.query('TRUNCATE control.audit_log'));
  await owner.close();
}

describe('a revocation that the database has not seen', () => {
  it('reaches row, audit log and the key’s own record, and is settled then', async () => {
    await revoke(log, key);
    const replica = await replicaOn(log);
    await replica.record();
    // What a replica has published it settles when it reads it, at the latest in the round after.
    await replica.record();
    expect(await storedStatus()).toEqual({ revokedAt: REVOKED_AT });
    expect(await auditLog()).toEqual([{ actor: 'api-key:shop/guard', uid: key.uid }]);
    expect(log.changes).toEqual(['put', 'revoke', 'put revoked', 'settle-revocation']);
    await expectNeverAlive(log);
  });

  it('outlives the snapshot that control publishes when it starts', async () => {
    await revoke(log, key);
    const { relay, record } = await replicaOn(log);
    await relay.publishSnapshot();
    expect(log.changes).toEqual(['put', 'revoke', 'put', 'snapshot']);
    await record();
    await record();
    await relay.publishSnapshot();
    await expectNeverAlive(log);
    expect((await log.readBy()).revocations()).toEqual([]);
  });

  it('is recorded by whoever comes next when a replica dies after its commit', async () => {
    await revoke(log, key);
    const dying = await replicaOn(log);
    log.refuses = () => true;
    await expect(dying.record()).rejects.toThrow('no broker');
    expect(await storedStatus()).toEqual({ revokedAt: REVOKED_AT });
    log.refuses = () => false;
    const next = await replicaOn(log);
    await next.record();
    await next.record();
    expect(log.changes).toEqual(['put', 'revoke', 'put revoked', 'settle-revocation']);
    expect(await auditLog()).toHaveLength(1);
  });

  it('is settled by whoever comes next when a replica dies before it does', async () => {
    await revoke(log, key);
    const dying = await replicaOn(log);
    log.refuses = ({ key: name, value }) => value === null && name!.startsWith('ApiKeyRevocation/');
    await expect(dying.record().then(() => dying.record())).rejects.toThrow('no broker');
    log.refuses = () => false;
    await (await replicaOn(log)).record();
    expect(log.changes).toEqual(['put', 'revoke', 'put revoked', 'settle-revocation']);
    expect(await auditLog()).toHaveLength(1);
    await expectNeverAlive(log);
  });

  it('is recorded once by several replicas at the same time', async () => {
    await revoke(log, key);
    const replicas = await Promise.all([replicaOn(log), replicaOn(log), replicaOn(log)]);
    for (let round = 0; round < 3; round++) await Promise.all(replicas.map(({ record }) => record()));
    expect(await auditLog()).toHaveLength(1);
    expect(log.changes.filter((change) => change === 'put revoked')).toHaveLength(1);
    expect((await log.readBy()).revocations()).toEqual([]);
    await expectNeverAlive(log);
  });

  it('of a key that was deleted meanwhile is on record, and says nothing of its successor', async () => {
    await revoke(log, key);
    await removeKey(key);
    const successor = await createKey();
    const replica = await replicaOn(log);
    for (let round = 0; round < 3; round++) await replica.record();
    expect(await auditLog()).toEqual([{ actor: 'api-key:shop/guard', uid: key.uid }]);
    const catalogue = await log.readBy();
    expect(catalogue.revocations()).toEqual([]);
    expect(catalogue.apiKey(CREDENTIAL)).toMatchObject({
      revoked: false,
      resource: { metadata: { uid: successor.uid } },
    });
  });

  it('stands as long as the key’s record does not tell of it, as after a database was restored', async () => {
    await revoke(log, key);
    await database.run((manager) => manager.query('DELETE FROM resources'));
    const replica = await replicaOn(log);
    for (let round = 0; round < 3; round++) await replica.record();
    expect(log.changes).toEqual(['put', 'revoke']);
    expect(await auditLog()).toHaveLength(1);
  });
});
