import { describe, expect, it } from 'vitest';
import { jumbled, randomNumbers } from './jumble.fixture.js';
import { eventfulStory } from './eventful-story.fixture.js';
import {
  accepted,
  attemptFailed,
  delivered,
  deliveryIdFor,
  foldAll,
  gaveUp,
  held,
  heldAfterAttempt,
  heldMatch,
  keyUsed,
  rejected,
  routed,
  T0,
  uidOf,
  type Fact,
} from './story.fixture.js';
import { NEWS, type DeliveryRow, type LedgerRows } from './rows.js';

function sorted(rows: LedgerRows): unknown {
  return Object.values(rows).map((map: ReadonlyMap<string, unknown>) =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function stateOf(facts: Fact[], event: string, subscription: string): string {
  const row: DeliveryRow | undefined = foldAll(facts).deliveries.get(deliveryIdFor(event, subscription));
  if (!row) return 'unknown';
  if (row.deliveredAt !== null) return 'delivered';
  if (row.news.kind === NEWS.held) return 'held';
  return row.news.kind === NEWS.dead ? 'dead' : 'pending';
}

describe('the fold of the ledger', () => {
  it('gives the same rows for every order and every repetition of the records', () => {
    const story = eventfulStory();
    const expected = sorted(foldAll(story));
    for (let seed = 1; seed <= 500; seed++) {
      expect(sorted(foldAll(jumbled(story, randomNumbers(seed)))), `seed ${seed}`).toEqual(expected);
    }
  });

  it('keeps a delivery pending until something final is known', () => {
    expect(stateOf([routed('a', ['billing'])], 'a', 'billing')).toBe('pending');
    const failing = [routed('a', ['billing']), attemptFailed('a', 'billing', 1, T0 + 5, T0 + 5_000)];
    expect(stateOf(failing, 'a', 'billing')).toBe('pending');
    expect(stateOf([...failing, gaveUp('a', 'billing', 2, T0 + 5_010)], 'a', 'billing')).toBe('dead');
  });

  it('never takes back that a delivery was delivered', () => {
    const facts = [delivered('a', 'billing', 1, T0 + 5), gaveUp('a', 'billing', 1, T0 + 900)];
    expect(stateOf(facts, 'a', 'billing')).toBe('delivered');
    expect(
      stateOf([...facts, routed('a', ['billing'], { at: T0 + 9_000, replay: true })], 'a', 'billing'),
    ).toBe('delivered');
  });

  it('opens a dead delivery again when it is replayed, and closes it with the newest outcome', () => {
    const dead = [routed('a', ['billing']), gaveUp('a', 'billing', 1, T0 + 10)];
    const replayed = [...dead, routed('a', ['billing'], { at: T0 + 60_000, replay: true })];
    expect(stateOf(replayed, 'a', 'billing')).toBe('pending');
    expect(stateOf([...replayed, gaveUp('a', 'billing', 1, T0 + 60_050)], 'a', 'billing')).toBe('dead');
    expect(stateOf([...replayed, delivered('a', 'billing', 1, T0 + 60_050)], 'a', 'billing')).toBe(
      'delivered',
    );
  });

  it('settles a dead delivery although the clocks of router and dispatcher differ', () => {
    // The router's clock is ahead by seconds.
    expect(
      stateOf([routed('a', ['billing'], { at: T0 + 4_000 }), gaveUp('a', 'billing', 1, T0)], 'a', 'billing'),
    ).toBe('dead');
    const replay = routed('a', ['billing'], { at: T0 + 64_000, replay: true });
    expect(stateOf([replay, gaveUp('a', 'billing', 1, T0 + 60_050)], 'a', 'billing')).toBe('dead');
  });

  it('closes a replayed delivery whose subscription turns out to be deleted', () => {
    const facts = [
      routed('a', ['billing']),
      gaveUp('a', 'billing', 1, T0 + 10),
      routed('a', [], {
        at: T0 + 60_000,
        replay: true,
        skipped: [
          {
            subscription: 'billing',
            subscriptionUid: uidOf('billing'),
            code: 'deleted',
            reason: 'It is gone.',
          },
        ],
        skippedCount: 1,
      }),
    ];
    expect(stateOf(facts, 'a', 'billing')).toBe('dead');
    expect(foldAll(facts).deliveries.get(deliveryIdFor('a', 'billing'))).toMatchObject({
      errorCode: 'deleted',
    });
  });

  it('holds a delivery from the router or a dispatcher, until it is replayed or delivered', () => {
    const byRouter = [
      routed('a', ['billing'], { at: T0 + 2, matched: [heldMatch('a', 'billing', 'paused')] }),
    ];
    expect(stateOf(byRouter, 'a', 'billing')).toBe('held');
    const failed = [routed('a', ['billing']), attemptFailed('a', 'billing', 1, T0 + 5, T0 + 5_000)];
    const byDispatcher = [...failed, held('a', 'billing', T0 + 5_010)];
    for (const facts of [byRouter, byDispatcher]) {
      expect(stateOf(facts, 'a', 'billing')).toBe('held');
      const replayed = [...facts, routed('a', ['billing'], { at: T0 + 60_000, replay: true })];
      expect(stateOf(replayed, 'a', 'billing')).toBe('pending');
      expect(stateOf([...replayed, delivered('a', 'billing', 1, T0 + 60_010)], 'a', 'billing')).toBe(
        'delivered',
      );
      // The probe of an unreachable subscriber failed.
      const probed = [...replayed, heldAfterAttempt('a', 'billing', 1, T0 + 60_010)];
      expect(stateOf(probed, 'a', 'billing')).toBe('held');
    }
    expect(foldAll(byDispatcher).deliveries.get(deliveryIdFor('a', 'billing'))).toMatchObject({
      errorCode: 'unreachable',
      errorMessage: expect.stringMatching(/answers again/),
    });
  });

  it('holds a delivery again when its replay met a suspended subscription', () => {
    const facts = [
      held('a', 'billing', T0 + 10),
      routed('a', [], {
        at: T0 + 60_000,
        replay: true,
        matched: [heldMatch('a', 'billing', 'halted')],
      }),
    ];
    expect(foldAll(facts).deliveries.get(deliveryIdFor('a', 'billing'))).toMatchObject({
      news: { at: T0 + 60_000, kind: NEWS.held },
      errorCode: 'halted',
    });
  });

  it('keeps the facts of an attempt after which its delivery was held', () => {
    const rows = foldAll([heldAfterAttempt('a', 'billing', 2, T0 + 10)]);
    expect([...rows.attempts.values()]).toMatchObject([{ number: 2, status: 503, errorCode: 'http_5xx' }]);
    expect(foldAll([held('a', 'billing', T0)]).attempts.size).toBe(0);
  });

  it('makes no delivery of what a replay skipped because patterns or filter do not want it', () => {
    for (const code of ['pattern_mismatch', 'filter_false', 'filter_error']) {
      const skipped = [
        { subscription: 'billing', subscriptionUid: uidOf('billing'), code, reason: 'It does not want it.' },
      ];
      const recovered = routed('a', [], {
        at: T0 + 9,
        replay: true,
        filtered: true,
        skipped,
        skippedCount: 1,
      });
      expect([code, foldAll([recovered]).deliveries.size]).toEqual([code, 0]);
      const dead = gaveUp('a', 'billing', 1, T0);
      expect([code, foldAll([dead, recovered]).deliveries]).toEqual([code, foldAll([dead]).deliveries]);
    }
  });

  it('gives up what a recovery wanted to send to a subscription that was disabled again', () => {
    const recovered = routed('a', [], {
      at: T0 + 9,
      replay: true,
      filtered: true,
      skipped: [
        {
          subscription: 'billing',
          subscriptionUid: uidOf('billing'),
          code: 'subscription_disabled',
          reason: 'It answered 410.',
        },
      ],
      skippedCount: 1,
    });
    expect(stateOf([recovered], 'a', 'billing')).toBe('dead');
    expect(foldAll([recovered]).deliveries.get(deliveryIdFor('a', 'billing'))).toMatchObject({
      errorCode: 'subscription_disabled',
      news: { at: T0 + 9, kind: NEWS.dead },
    });
  });

  it('does not record a replay as an event', () => {
    const replay = { subscription: 'billing', subscriptionUid: uidOf('billing') };
    expect(foldAll([accepted('a', { replay })]).events.size).toBe(0);
  });

  it('replaces NUL, which Postgres cannot store, and bounds what subscribers send', () => {
    const fact = attemptFailed('a', 'billing', 1, T0, T0 + 5_000);
    if (fact.kind !== 'outcome' || fact.outcome.type !== 'attempted') throw new Error('not an attempt');
    fact.outcome.response = `\0${'é'.repeat(10_000)}`;
    const [attempt] = foldAll([fact]).attempts.values();
    expect(attempt?.response?.startsWith('\uFFFDéé')).toBe(true);
    expect(Buffer.byteLength(attempt?.response ?? '')).toBeLessThanOrEqual(8192);
  });

  it('bounds what a refused request sent, its body included', () => {
    const fact = rejected(1, {
      path: `/in/shop/${'ü'.repeat(5_000)}`,
      userAgent: `\0${'u'.repeat(9_000)}`,
      body: Buffer.alloc(100_000, 'b').toString('base64'),
      bodyBytes: 99_999_999_999,
    });
    const [row] = foldAll([fact]).rejections.values();
    expect(Buffer.byteLength(row?.path ?? '')).toBeLessThanOrEqual(2048);
    expect(row?.userAgent).toMatch(/^\uFFFDu+$/);
    expect(Buffer.byteLength(row?.userAgent ?? '')).toBeLessThanOrEqual(2048);
    expect(row?.body).toHaveLength(65_536);
    expect(row?.bodyBytes).toBe(2_147_483_647);
    expect(row?.reason).toBe('The signature does not \uFFFD fit.');
  });

  it('keeps the last use of each credential of a key', () => {
    const facts = [keyUsed('old', T0 + 5), keyUsed('old', T0), keyUsed('new', T0 + 1)];
    const uses = [...foldAll(facts).keyUsage.values()].map((row) => [row.credentialId, row.lastUsedAt]);
    expect(uses).toEqual([
      ['old', T0 + 5],
      ['new', T0 + 1],
    ]);
  });
});
