import { createLogger, Metrics } from '@quittance/service';
import { waitUntil } from '@quittance/testing';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_LEDGER, startLedgerDatabase, type LedgerDatabase } from './ledger-database.fixture.js';
import { jumbled, randomNumbers } from './jumble.fixture.js';
import { LedgerWriter } from './ledger-writer.js';
import { eventfulStory } from './eventful-story.fixture.js';
import {
  accepted,
  attemptFailed,
  delivered,
  foldAll,
  rejected,
  routed,
  T0,
  writeFacts,
} from './story.fixture.js';

let database: LedgerDatabase;
let reader: Pool;

beforeAll(async () => {
  database = await startLedgerDatabase();
  reader = new Pool({ connectionString: database.server.url, max: 1 });
  reader.on('error', () => undefined);
}, 60_000);

afterAll(async () => {
  await reader.end();
  await database.remove();
});

beforeEach(async () => {
  await reader.query(EMPTY_LEDGER);
});

function newWriter(gatherMs?: number): LedgerWriter {
  const logger = createLogger({ service: 'audit', version: '0', level: 'silent' });
  const options = { pauseMs: 0, ...(gatherMs !== undefined && { gatherMs }) };
  return new LedgerWriter(database.pool, new Metrics('audit'), logger, options);
}

/** It has written so much at once that it begins to gather what becomes of each event. */
async function busyWriter(gatherMs: number): Promise<LedgerWriter> {
  const writer = newWriter(gatherMs);
  await Promise.all(
    writeFacts(
      writer,
      Array.from({ length: 300 }, (_, n) => accepted(`busy-${n}`)),
    ),
  );
  await reader.query(`DELETE FROM audit.events WHERE id LIKE 'busy-%'`);
  return writer;
}

async function ledger(): Promise<Record<string, unknown[]>> {
  const tables: Record<string, unknown[]> = {};
  for (const [table, order] of Object.entries({
    events: 'namespace, id, source',
    deliveries: 'id',
    attempts: 'delivery_id, attempt_id',
    duplicates: 'mark',
    rejections: 'id',
    key_usage: 'uid, credential_id',
  })) {
    tables[table] = (await reader.query(`SELECT * FROM audit.${table} ORDER BY ${order}`)).rows;
  }
  return tables;
}

describe('the ledger in Postgres', () => {
  it('is the same whatever the order, the repetitions and the flushes of the records', async () => {
    const writer = newWriter();
    const story = eventfulStory();
    await Promise.all(writeFacts(writer, story));
    const expected = await ledger();
    expect(expected['deliveries']).toHaveLength(foldAll(story).deliveries.size);
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomNumbers(seed);
      await reader.query(EMPTY_LEDGER);
      let rest = jumbled(story, random);
      while (rest.length > 0) {
        const count = 1 + Math.floor(random() * 6);
        await Promise.all(writeFacts(writer, rest.slice(0, count)));
        rest = rest.slice(count);
      }
      expect(await ledger(), `seed ${seed}`).toEqual(expected);
    }
  }, 30_000);

  it('is the same when much is written, and what is told of an event is gathered meanwhile', async () => {
    const story = eventfulStory();
    await Promise.all(writeFacts(newWriter(), story));
    const expected = await ledger();
    for (let seed = 1; seed <= 5; seed++) {
      await reader.query(EMPTY_LEDGER);
      const writer = await busyWriter(50);
      await Promise.all(writeFacts(writer, jumbled(story, randomNumbers(seed))));
      expect(await ledger(), `seed ${seed}`).toEqual(expected);
      writer.onModuleDestroy();
    }
  }, 30_000);

  it('takes a delivery in when it has an outcome, while much is written, and the rest on shutdown', async () => {
    const writer = await busyWriter(60_000);
    const first = writeFacts(writer, [accepted('a'), routed('a', ['billing'])]);
    const open = writeFacts(writer, [accepted('b'), routed('b', ['billing'])]);
    const known = async () => (await ledger())['deliveries'];
    await Promise.all(writeFacts(writer, [rejected(1)]));
    expect(await known()).toEqual([]);
    await Promise.all([...first, ...writeFacts(writer, [delivered('a', 'billing', 1, T0 + 9)])]);
    expect(await known()).toMatchObject([
      { event_id: 'a', state: 'delivered', created_at: new Date(T0 + 2) },
    ]);
    writer.onModuleDestroy();
    await Promise.all(open);
    expect(await known()).toHaveLength(2);
  });

  it('holds what the records say', async () => {
    await Promise.all(writeFacts(newWriter(), eventfulStory()));
    const { events, deliveries, duplicates, rejections, key_usage } = await ledger();
    expect(rejections).toMatchObject([
      {
        namespace: 'shop',
        at: new Date(T0 + 1_000),
        source: 'payments',
        api_key: 'checkout',
        user_agent: 'curl\uFFFD/8',
        status: 401,
        code: 'signature_invalid',
        errors: [{ path: 'data\uFFFD', message: 'must be an object' }],
        body: Buffer.from('{"total":12.5}'),
        body_bytes: 14,
        suppressed: 3,
      },
      { source: null, api_key: null, errors: null, body: null, body_bytes: 70_000 },
    ]);
    expect(key_usage).toMatchObject([
      { uid: 'uid-checkout', name: 'checkout', credential_id: 'new', last_used_at: new Date(T0 + 30_000) },
      { credential_id: 'old', last_used_at: new Date(T0 + 60_000) },
    ]);
    expect(events).toMatchObject([
      {
        id: 'a',
        type: 'order.completed',
        accepted_at: new Date(T0),
        data: Buffer.from('{"total":120.5}'),
        extensions: { partitionkey: 'customer-7' },
        skipped: [{ subscription: 'audit', code: 'filter_false', reason: 'total \uFFFD is too small' }],
        skipped_count: 1,
      },
      { id: 'b', data: null, routed_revision: '4' },
      { id: 'c', accepted_at: null, routed_at: new Date(T0 + 2) },
      { id: 'd' },
      { id: 'e' },
      {
        id: 'f',
        skipped: [{ subscription: 'slow', code: 'subscription_disabled' }],
        test_subscription_uid: null,
      },
      { id: 'g', test_subscription_uid: 'uid-billing' },
    ]);
    expect(
      deliveries
        ?.map((row) => row as { event_id: string; subscription: string; state: string })
        .map((row) => `${row.event_id} ${row.subscription} ${row.state}`)
        .sort(),
    ).toEqual([
      'a billing delivered',
      'a mail dead',
      'a stock dead',
      'b billing delivered',
      'b stock dead',
      'c billing delivered',
      'd slow held',
      'e slow delivered',
      'f other dead',
      'f slow dead',
    ]);
    expect(duplicates).toMatchObject([
      { mark: 'trace-2', conflict: true },
      { mark: 'trace-3', conflict: false },
    ]);
  });

  it('gives up only the records that Postgres cannot hold, and writes the others of their flush', async () => {
    const facts = Array.from({ length: 60 }, (_, index) => accepted(`event-${index}`));
    // An index entry is at most 2,704 bytes; random text does not compress below that.
    const random = randomNumbers(7);
    facts[17] = accepted(Array.from({ length: 8_000 }, () => random().toString(36).at(-1)).join(''));
    facts[41] = attemptFailed('event-1', 'billing', 1, Number.MAX_SAFE_INTEGER, T0);
    facts[42] = attemptFailed('event-1', 'billing', 3_000_000_000, T0 + 1, T0);
    const results = await Promise.allSettled(writeFacts(newWriter(), facts));
    const rejected = results.flatMap((result, index) =>
      result.status === 'rejected' ? [[index, result.reason]] : [],
    );
    expect(rejected).toEqual([
      [17, expect.objectContaining({ code: 'store_rejected', retryable: false })],
      [41, expect.objectContaining({ code: 'store_rejected', retryable: false })],
      [42, expect.objectContaining({ code: 'store_rejected', retryable: false })],
    ]);
    expect((await ledger())['events']).toHaveLength(57);
  });

  it('waits while Postgres is down, and loses nothing', async () => {
    const writer = newWriter();
    await Promise.all(writeFacts(writer, [accepted('before')]));
    await database.server.stop();
    const waiting = Promise.all(writeFacts(writer, [accepted('during'), routed('during', ['billing'])]));
    await waitUntil(() => !writer.health.ready, { what: 'the outage to be noticed' });
    expect(writer.health).toEqual({ ready: false, detail: expect.stringMatching(/^2 records wait/) });
    const more = Promise.all(writeFacts(writer, [delivered('during', 'billing', 1, T0 + 9)]));
    await database.server.start();
    await Promise.all([waiting, more]);
    expect(writer.health.ready).toBe(true);
    const { events, deliveries } = await ledger();
    expect(events).toHaveLength(2);
    expect(deliveries).toMatchObject([{ event_id: 'during', state: 'delivered' }]);
  }, 30_000);

  it('leaves the records to their topic when it is shut down while Postgres is down', async () => {
    const writer = newWriter();
    await database.server.stop();
    try {
      const waiting = Promise.all(writeFacts(writer, [accepted('late')]));
      writer.onModuleDestroy();
      await expect(waiting).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
    } finally {
      await database.server.start();
    }
  }, 30_000);
});
