import { randomUUID } from 'node:crypto';
import {
  configKey,
  decodeConfigChange,
  Topics,
  type ConfigChange,
  type EventTypeResource,
  type OutgoingRecord,
} from '@quittance/contracts';
import { CONTROL_SCHEMA, Database, OutboxRow, provisionDatabase, ResourceRow } from '@quittance/persistence';
import { startTestPostgres, waitUntil, type TestPostgres } from '@quittance/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OutboxRepository } from './outbox.repository.js';
import { Relay } from './relay.js';

let postgres: TestPostgres;
let database: Database;
const outbox = new OutboxRepository();
const topics = new Topics();

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

/** Stands where Kafka stands: keeps what it was given, unless it is told to fail before or after that. */
class Log {
  readonly records: OutgoingRecord[] = [];
  failure: 'before' | 'after' | undefined;
  before: () => Promise<void> = async () => {};

  async publishAll(records: OutgoingRecord[]): Promise<void> {
    await this.before();
    if (this.failure === 'before') throw new Error('no broker');
    this.records.push(...records);
    if (this.failure === 'after') throw new Error('the acknowledgement was lost');
  }

  get changes(): (ConfigChange | undefined)[] {
    return this.records.map(({ key, value }) => decodeConfigChange({ key: Buffer.from(key!), value }));
  }

  /** What a reader of the compacted topic ends up with. */
  get versions(): Record<string, string> {
    const state: Record<string, string> = {};
    for (const change of this.changes) {
      if (change?.change === 'put')
        state[change.resource.metadata.name] = change.resource.metadata.resourceVersion;
      else if (change?.change === 'delete') delete state[change.name];
    }
    return state;
  }
}

const relayTo = (log: Log): Relay => new Relay(database, outbox, log, topics);

function resource(name: string, resourceVersion: string): EventTypeResource {
  return {
    apiVersion: 'quittance.dev/v1',
    kind: 'EventType',
    metadata: {
      name,
      namespace: 'shop',
      uid: randomUUID(),
      labels: {},
      annotations: {},
      generation: 1,
      resourceVersion,
      createdAt: new Date().toISOString(),
      updatedAt: new Date().toISOString(),
    },
    spec: { description: '', versions: [] },
  };
}

const put = (name: string, version: string): Promise<void> =>
  database.transaction((manager) => outbox.addPut(manager, resource(name, version)));

beforeEach(() => database.run(async (manager) => void (await manager.query('DELETE FROM outbox'))));

describe('the relay', () => {
  it('publishes each change once, the last one of each resource', async () => {
    const log = new Log();
    const relay = relayTo(log);
    await put('a', '1');
    await put('a', '2');
    await put('b', '1');
    await relay.flush();
    await relay.flush();
    expect(log.records).toHaveLength(2);
    expect(log.versions).toEqual({ a: '2', b: '1' });
  });

  it('publishes a deletion as a tombstone under the key of the resource', async () => {
    const log = new Log();
    await database.transaction((manager) =>
      outbox.addDelete(manager, { kind: 'EventType', namespace: 'shop', name: 'a.b' }),
    );
    await relayTo(log).flush();
    expect(log.records).toEqual([
      { topic: topics.config, key: configKey('EventType', 'shop', 'a.b'), value: null, headers: {} },
    ]);
  });

  it('keeps what Kafka did not take, for itself or for another replica after its death', async () => {
    const dying = new Log();
    dying.failure = 'after';
    await put('a', '1');
    await expect(relayTo(dying).flush()).rejects.toThrow('acknowledgement was lost');
    const log = new Log();
    await relayTo(log).flush();
    expect(log.versions).toEqual({ a: '1' });
  });

  it('publishes an older row that was committed after a newer one', async () => {
    const log = new Log();
    const relay = relayTo(log);
    const slow = database.dataSource.createQueryRunner();
    await slow.startTransaction();
    await outbox.addPut(slow.manager, resource('slow', '1'));
    await put('fast', '2');
    await relay.flush();
    expect(log.versions).toEqual({ fast: '2' });
    await slow.commitTransaction();
    await slow.release();
    await relay.flush();
    expect(log.versions).toEqual({ fast: '2', slow: '1' });
  });

  it('takes turns with other replicas, so that nothing is published twice or out of order', async () => {
    const log = new Log();
    const relays = [relayTo(log), relayTo(log), relayTo(log)];
    for (let version = 1; version <= 5; version++) {
      await put('a', String(version));
      await Promise.all(relays.map((relay) => relay.flush()));
    }
    expect(
      log.changes.map((change) => change?.change === 'put' && change.resource.metadata.resourceVersion),
    ).toEqual(['1', '2', '3', '4', '5']);
  });

  it('lets all who wait share the next flush', async () => {
    const log = new Log();
    const relay = relayTo(log);
    let flushes = 0;
    log.before = async () => {
      flushes++;
    };
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => put(name, '1').then(() => relay.flush())));
    expect(Object.keys(log.versions).toSorted()).toEqual(names.toSorted());
    expect(flushes).toBeLessThan(names.length);
  });

  it('sends the newest change again when its lock was lost while it was sending', async () => {
    const log = new Log();
    const relay = relayTo(log);
    await put('a', '1');
    // While the first replica's record is on its way, its connection dies, and a second one publishes what is newer.
    log.before = async () => {
      log.before = async () => {};
      await database.run((manager) =>
        manager.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE state = 'idle in transaction' AND pid <> pg_backend_pid()`,
        ),
      );
      await put('a', '2');
      await relayTo(log).flush();
    };
    await expect(relay.flush()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(log.versions).toEqual({ a: '1' });
    await relay.flush();
    expect(log.versions).toEqual({ a: '2' });
  });

  it('publishes a snapshot of everything, and its marker last', async () => {
    const log = new Log();
    const now = new Date();
    const names = Array.from({ length: 250 }, (_, index) => `type.${String(index).padStart(3, '0')}`);
    await database.run(async (manager) => {
      for (const name of names) {
        await manager.insert(ResourceRow, {
          kind: 'EventType',
          namespace: 'shop',
          name,
          uid: randomUUID(),
          labels: {},
          annotations: {},
          generation: 1,
          resourceVersion: '9',
          spec: { description: '', versions: [] },
          status: null,
          secrets: null,
          createdAt: now,
          updatedAt: now,
        });
      }
    });
    await relayTo(log).publishSnapshot();
    expect(Object.keys(log.versions)).toEqual(names);
    expect(log.changes.at(-1)).toMatchObject({ change: 'snapshot' });
    expect(log.changes.filter((change) => change?.change === 'snapshot')).toHaveLength(1);
  });

  it('deletes what was published more than a day ago, and nothing else', async () => {
    await put('old', '1');
    await relayTo(new Log()).flush();
    await put('waiting', '1');
    await database.run((manager) =>
      manager.query(
        `UPDATE outbox SET created_at = created_at - interval '2 days', published_at = published_at - interval '2 days'`,
      ),
    );
    await put('new', '1');
    await relayTo(new Log()).prune();
    const left = await database.run((manager) => manager.find(OutboxRow, { order: { seq: 'ASC' } }));
    expect(left.map((row) => row.aggregateid)).toEqual(['EventType/shop/waiting', 'EventType/shop/new']);
  });
});
