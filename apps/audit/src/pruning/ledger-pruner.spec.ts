import type { NamespaceSpec } from '@quittance/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { delivered, keyUsed, rejected, T0 } from '../ledger/story.fixture.js';
import { DAY, kept, PrunedLedger, settled } from './pruning.fixture.js';

let ledger: PrunedLedger;

beforeAll(async () => {
  ledger = await PrunedLedger.start();
}, 60_000);

afterAll(() => ledger.remove());

beforeEach(() => ledger.empty());

describe('pruning of rejections and of the use of keys', () => {
  it('takes rejections whose time is over', async () => {
    await ledger.write([
      rejected(1),
      rejected(2, { at: T0 + 2 * DAY }),
      rejected(3, { namespace: 'another' }),
    ]);
    const namespace = (name: string): NamespaceSpec => kept('30d', name === 'shop' ? '7d' : '9d');
    expect((await ledger.prune(8, { namespace }))?.pruned).toEqual({ rejection: 1 });
    expect((await ledger.prune(9.5, { namespace }))?.pruned).toEqual({ rejection: 2 });
  });

  it('keeps the newest 10,000 of a namespace, however young the others', async () => {
    await ledger.admin.query(
      `INSERT INTO audit.rejections (id, namespace, at, method, path, address, status, code, reason, body_bytes, suppressed)
       SELECT lpad(n::text, 6, '0'), 'shop', $1::timestamptz + (n / 3) * interval '1 s', 'POST', '/', '::1', 401, 'c', '', 0, 0
         FROM generate_series(1, 12345) n`,
      [new Date(T0)],
    );
    await ledger.write([rejected(1, { namespace: 'another' })]);
    expect((await ledger.prune(0.2))?.pruned).toEqual({ rejection: 2_345 });
    const ids = await ledger.left('rejections');
    expect(ids).toHaveLength(10_001);
    expect(ids[0]).toBe('002346');
  });

  it('forgets keys that were not used for 400 days', async () => {
    await ledger.write([keyUsed('old', T0), keyUsed('new', T0 + 2 * DAY)]);
    expect((await ledger.prune(401))?.pruned).toEqual({ key_usage: 1 });
    expect(await ledger.left('key_usage')).toEqual(['new']);
  });
});

describe('a round of pruning', () => {
  it('does nothing while it is not certain how long things are kept', async () => {
    await ledger.write(settled('a', T0));
    expect(await ledger.prune(31, { ready: false })).toBeUndefined();
    expect(await ledger.prune(31, { isFresh: () => false })).toBeUndefined();
    expect(await ledger.left('events')).toEqual(['a']);
  });

  it('leaves it to another instance that is at it', async () => {
    await ledger.write(settled('a', T0));
    const client = await ledger.admin.connect();
    try {
      await client.query(`SELECT pg_advisory_lock(x'71746e63'::int, hashtext('pruning of the ledger'))`);
      expect(await ledger.prune(31)).toBeUndefined();
      expect(await ledger.left('events')).toEqual(['a']);
      await client.query(`SELECT pg_advisory_unlock_all()`);
    } finally {
      client.release();
    }
    expect((await ledger.prune(31))?.pruned).toMatchObject({ event: 1 });
  });

  it('may run beside another and beside the writer', async () => {
    await ledger.write(Array.from({ length: 600 }, (_, index) => settled(`e${index}`, T0 + index)).flat());
    const late = Array.from({ length: 600 }, (_, index) =>
      delivered(`e${index}`, 'billing', 2, T0 + 50 + index),
    );
    await Promise.all([
      ledger.prune(31),
      ledger.prune(31),
      ledger.write(late),
      ledger.write(late.toReversed()),
    ]);
    await ledger.prune(31);
    expect(await ledger.countAll()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('ends when the service is shut down', async () => {
    await ledger.write(settled('a', T0));
    const pruner = ledger.pruner(31);
    pruner.start();
    await pruner.onModuleDestroy();
    expect(await pruner.round()).toBeUndefined();
    expect(await ledger.left('events')).toEqual(['a']);
  });
});
