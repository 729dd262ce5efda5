import type { NamespaceSpec } from '@quittance/contracts';
import { Metrics } from '@quittance/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventfulStory } from '../ledger/eventful-story.fixture.js';
import {
  accepted,
  attemptFailed,
  delivered,
  duplicate,
  gaveUp,
  held,
  routed,
  T0,
  type Fact,
} from '../ledger/story.fixture.js';
import { DAY, kept, PrunedLedger, settled } from './pruning.fixture.js';

let ledger: PrunedLedger;

beforeAll(async () => {
  ledger = await PrunedLedger.start();
}, 60_000);

afterAll(() => ledger.remove());

beforeEach(() => ledger.empty());

describe('pruning of events', () => {
  it('takes everything that belongs to an event when its time is over, and nothing before', async () => {
    await ledger.write(eventfulStory());
    await ledger.admin.query(
      `INSERT INTO audit.retry_requests SELECT id, now(), 'admin' FROM audit.deliveries WHERE event_id = 'a'`,
    );
    await ledger.write(settled('young', T0 + 2 * DAY));
    const metrics = new Metrics('audit');
    expect((await ledger.prune(6))?.pruned).toEqual({});
    const round = await ledger.prune(31, {}, metrics);
    // One of the story's deliveries is held.
    expect(await ledger.left('events')).toEqual(['d', 'young']);
    expect(await ledger.left('deliveries')).toEqual(['d slow', 'young billing']);
    expect(await ledger.left('attempts')).toHaveLength(5);
    expect(await ledger.left('duplicates')).toEqual([]);
    expect(await ledger.left('retry_requests')).toEqual([]);
    expect(round?.pruned).toMatchObject({ event: 6, delivery: 9, duplicate: 2, retry_request: 3 });
    const text = await metrics.registry.metrics();
    expect(text).toContain('quittance_ledger_pruned_total{kind="event",service="audit"} 6');
    expect(text).toContain('quittance_ledger_pruned_total{kind="key_usage",service="audit"} 0');
  });

  it('goes through more than a batch', async () => {
    await ledger.write(Array.from({ length: 950 }, (_, index) => settled(`e${index}`, T0 + index)).flat());
    expect((await ledger.prune(31))?.pruned).toEqual({ event: 950, delivery: 950, attempt: 950 });
  });

  it('goes by the retention of each namespace', async () => {
    await ledger.write([
      ...settled('long', T0),
      accepted('short', { namespace: 'a-short' }),
      routed('short', [], { namespace: 'a-short' }),
      accepted('short', { namespace: 'z-short' }),
      routed('short', [], { namespace: 'z-short' }),
    ]);
    const namespace = (name: string): NamespaceSpec => kept(name === 'shop' ? '60d' : '1d');
    expect((await ledger.prune(2, { namespace }))?.pruned).toEqual({ event: 2 });
    expect(await ledger.left('events')).toEqual(['long']);
  });

  it('leaves a namespace alone whose retention cannot be read', async () => {
    await ledger.write(settled('old', T0));
    const isNamespaceReadable = (name: string): boolean => name !== 'shop';
    expect((await ledger.prune(300, { isNamespaceReadable }))?.pruned).toEqual({});
    expect((await ledger.prune(300))?.pruned).toMatchObject({ event: 1 });
  });

  it('leaves an event with a delivery that is still being tried, also behind others that stay', async () => {
    const tries: Fact[] = Array.from({ length: 250 }, (_, index) => {
      const id = `tried-${index}`;
      return [
        accepted(id, { acceptedAt: T0 + index }),
        routed(id, ['billing', 'stock'], { at: T0 + index }),
        delivered(id, 'billing', 1, T0 + index + 5),
        attemptFailed(id, 'stock', 7, T0 + 38 * DAY, T0 + 39 * DAY),
      ];
    }).flat();
    await ledger.write([...tries, ...settled('behind', T0 + 900)]);
    expect((await ledger.prune(40))?.pruned).toEqual({ event: 1, delivery: 1, attempt: 1 });
    expect(await ledger.left('events')).toHaveLength(250);
    await ledger.write([gaveUp('tried-7', 'stock', 8, T0 + 39 * DAY)]);
    expect((await ledger.prune(41))?.pruned).toEqual({ event: 1, delivery: 2, attempt: 3 });
  });

  it('gives up on a delivery of which nothing was heard for so long that nothing can be', async () => {
    await ledger.write([
      accepted('silent'),
      routed('silent', ['stock']),
      attemptFailed('silent', 'stock', 1, T0 + 30 * DAY, T0 + 31 * DAY),
    ]);
    expect((await ledger.prune(50))?.pruned).toEqual({});
    expect((await ledger.prune(52))?.pruned).toEqual({ event: 1, delivery: 1, attempt: 1 });
  });

  it('leaves an event with a held delivery, whatever the retention, for 90 days', async () => {
    await ledger.write([...settled('kept', T0), held('kept', 'slow', T0 + DAY)]);
    const namespace = () => kept('1d');
    expect((await ledger.prune(90, { namespace }))?.pruned).toEqual({});
    expect((await ledger.prune(92, { namespace }))?.pruned).toEqual({ event: 1, delivery: 2, attempt: 1 });
    await ledger.write([...settled('resumed', T0), held('resumed', 'slow', T0 + DAY)]);
    await ledger.write([delivered('resumed', 'slow', 1, T0 + 40 * DAY)]);
    expect((await ledger.prune(41, { namespace }))?.pruned).toEqual({ event: 1, delivery: 2, attempt: 2 });
  });

  it('leaves an event that is yet to be routed, while it can be', async () => {
    await ledger.write([accepted('waiting')]);
    const namespace = () => kept('1d');
    expect((await ledger.prune(20, { namespace }))?.pruned).toEqual({});
    expect((await ledger.prune(22, { namespace }))?.pruned).toEqual({ event: 1 });
  });

  it('leaves an event that somebody is retrying by hand', async () => {
    await ledger.write(settled('held', T0));
    const client = await ledger.admin.connect();
    try {
      await client.query('BEGIN');
      await client.query(`SELECT FROM audit.events WHERE id = 'held' FOR KEY SHARE`);
      expect((await ledger.prune(31))?.pruned).toEqual({});
      await client.query('COMMIT');
    } finally {
      client.release();
    }
    expect((await ledger.prune(31))?.pruned).toMatchObject({ event: 1 });
  });
});

describe('what late records leave behind', () => {
  it('goes once nothing can complete it', async () => {
    await ledger.write([...settled('a', T0), ...settled('b', T0)]);
    await ledger.prune(31);
    // Read again after the event is gone: attempts, a routing, a duplicate.
    await ledger.write([
      delivered('a', 'billing', 1, T0 + 5),
      delivered('a', 'billing', 2, T0 + 9),
      routed('b', ['billing', 'stock']),
      duplicate('a', 'trace-9', false),
    ]);
    expect(await ledger.countAll()).toEqual([1, 3, 2, 1, 0, 0, 0, 0]);
    await ledger.prune(31);
    expect(await ledger.countAll()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('stays while the event itself may still come', async () => {
    const facts = [
      routed('half', ['billing']),
      delivered('half', 'billing', 1, T0 + 5),
      duplicate('half', 't', true),
    ];
    await ledger.write([...facts, delivered('other', 'billing', 1, T0 + 5)]);
    const namespace = () => kept('1d');
    expect((await ledger.prune(20, { namespace }))?.pruned).toEqual({});
    expect((await ledger.prune(22, { namespace }))?.pruned).toEqual({
      event: 1,
      delivery: 2,
      attempt: 2,
      duplicate: 1,
    });
  });
});
