import { SubscriptionStates } from '@quittance/catalog';
import {
  encodeSubscriptionState,
  subscriptionSpec,
  subscriptionStatus,
  Topics,
  type IncomingRecord,
  type SubscriptionMove,
  type SubscriptionStatus,
} from '@quittance/contracts';
import { CONTROL_SCHEMA, Database, provisionDatabase, ResourceRow } from '@quittance/persistence';
import { startTestPostgres, waitUntil, type TestPostgres } from '@quittance/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { catalogueOf, ConfigLog } from '../keys/config-log.fixture.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { Relay } from '../outbox/relay.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { ResourceWriter } from '../resources/resource-writer.js';
import { HomeMoves, type EndOffset } from './home-moves.js';

const HOUR = 3_600_000;
const topics = new Topics();
const outbox = new OutboxRepository();
const resources = new ResourceRepository();
const writer = new ResourceWriter(resources, outbox);
let postgres: TestPostgres;
let database: Database;
let log: ConfigLog;

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

beforeEach(async () => {
  await database.run((manager) => manager.query('DELETE FROM resources; DELETE FROM outbox'));
  log = new ConfigLog();
});

const moveFrom = (from: number): SubscriptionMove => ({ id: randomUUID(), from, startedAt: Date.now() });

/** Stored and published. */
async function create(name: string, move: SubscriptionMove, uid = randomUUID()): Promise<ResourceRow> {
  const at = new Date();
  const row = Object.assign(new ResourceRow(), {
    kind: 'Subscription',
    namespace: 'shop',
    name,
    uid,
    labels: {},
    annotations: {},
    generation: 1,
    spec: subscriptionSpec.parse({
      events: ['*'],
      destination: { webhook: { url: 'http://127.0.0.1:9000/' } },
    }),
    status: subscriptionStatus.parse({ state: 'active', partition: 7, move }),
    secrets: { signing: ['sealed'] },
    createdAt: at,
    updatedAt: at,
  });
  await database.transaction((manager) =>
    writer.write(manager, { actor: 'admin', action: 'move', before: null, after: row }),
  );
  await new Relay(database, outbox, log, topics).flush();
  return row;
}

async function statusOf(name: string): Promise<SubscriptionStatus> {
  const row = await database.run((manager) => manager.findOneByOrFail(ResourceRow, { name }));
  return subscriptionStatus.parse(row.status);
}

/** One process of control, and a way to have it read what a dispatcher writes. */
async function replica(options: { settleMs?: number; endOffset?: EndOffset } = {}) {
  const { settleMs = 0, endOffset = async (partition) => BigInt(partition * 100) } = options;
  const catalogue = await catalogueOf(log.records, (onRecord) => log.followers.push(onRecord));
  let onState: (record: IncomingRecord) => void = () => undefined;
  const states = new SubscriptionStates({
    source: {
      start: async (onRecord) => {
        onState = onRecord;
      },
      confirmedAt: 1,
      alive: true,
      close: async () => {},
    },
  });
  await states.start();
  const relay = new Relay(database, outbox, log, topics);
  const moves = new HomeMoves(catalogue, states, database, resources, writer, relay, endOffset, settleMs);
  const drain = ({ namespace, name, uid }: ResourceRow, move: SubscriptionMove): void => {
    const state = {
      namespace,
      subscription: name,
      uid,
      activation: 1,
      at: Date.now(),
      drained: move.id,
    };
    const { key, ...record } = encodeSubscriptionState(topics.subscriptionState, state);
    onState({
      ...record,
      key: Buffer.from(key!),
      partition: 0,
      offset: 0n,
      timestamp: 0,
      headers: {},
    });
  };
  return { moves, catalogue, drain };
}

describe('a home that is moved', () => {
  it('is fenced off at its end, and left once its owner has nothing below the fence', async () => {
    const move = moveFrom(2);
    const row = await create('a', move);
    const { moves, catalogue, drain } = await replica();
    await moves.advance();
    expect(await statusOf('a')).toMatchObject({ partition: 7, move: { ...move, fence: '200' } });
    expect(catalogue.subscription('shop', 'a')?.resource.status.move?.fence).toBe('200');

    drain(row, moveFrom(2));
    await moves.advance();
    expect((await statusOf('a')).move).toBeDefined();
    drain(row, move);
    await moves.advance();
    expect(await statusOf('a')).toEqual({ state: 'active', partition: 7, activation: 1 });
    expect(catalogue.subscription('shop', 'a')?.resource.status.move).toBeUndefined();
  });

  it('is not fenced off while somebody may still write to it', async () => {
    const move = moveFrom(2);
    await create('a', { ...move, startedAt: Date.now() - 2 * HOUR });
    const { moves } = await replica({ settleMs: HOUR });
    await moves.advance();
    expect((await statusOf('a')).move?.fence).toBeUndefined();
  });

  it('keeps its fence, whichever replica set it', async () => {
    await create('a', moveFrom(2));
    let end = 200n;
    const endOffset: EndOffset = async () => end;
    const [one, other] = [await replica({ endOffset }), await replica({ endOffset })];
    // The other reads the topic only later.
    log.followers.pop();
    await one.moves.advance();
    end = 300n;
    await other.moves.advance();
    expect((await statusOf('a')).move?.fence).toBe('200');
  });

  it('is published when it could not be before', async () => {
    await create('a', moveFrom(2));
    const { moves, catalogue } = await replica();
    log.refuses = () => true;
    await expect(moves.advance()).rejects.toThrow('no broker');
    log.refuses = () => false;
    await new Relay(database, outbox, log, topics).flush();
    expect(catalogue.subscription('shop', 'a')?.resource.status.move?.fence).toBe('200');
  });

  it('waits for no other, whose end Kafka does not tell', async () => {
    await create('a', moveFrom(1));
    await create('b', moveFrom(2));
    const endOffset: EndOffset = async (partition) => {
      if (partition === 1) throw new Error('no leader');
      return 5n;
    };
    const { moves } = await replica({ endOffset });
    await expect(moves.advance()).rejects.toThrow('no leader');
    expect((await statusOf('a')).move?.fence).toBeUndefined();
    expect((await statusOf('b')).move?.fence).toBe('5');
  });

  it('says nothing of a subscription that was made anew under its name', async () => {
    await create('a', moveFrom(2));
    const { moves } = await replica();
    log.followers.pop();
    await database.run((manager) => manager.query('DELETE FROM resources'));
    const later = moveFrom(3);
    await create('a', later);
    await moves.advance();
    expect((await statusOf('a')).move).toEqual(later);
  });
});
