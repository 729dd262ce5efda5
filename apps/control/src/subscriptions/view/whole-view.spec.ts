import { describe, expect, it } from 'vitest';
import type { DeliveriesSummary } from './ledger-summary.js';
import { wholeViewOf } from './whole-view.js';
import { at, factsOf, refused, type Known } from './view.fixture.js';

const summary: DeliveriesSummary = {
  pending: { count: 12, isCapped: false },
  held: { count: 1000, isCapped: true },
  oldestPendingAt: '2026-11-23T11:00:00.000Z',
  oldestHeldAt: '2026-11-23T10:00:00.000Z',
  nextAttemptAt: '2026-11-23T12:00:30.000Z',
  lastDeliveredAt: '2026-11-23T11:10:00.000Z',
};

const viewOf = (known: Known, asked: { records?: number; summary?: DeliveriesSummary } = {}) =>
  wholeViewOf({
    facts: factsOf(known),
    isComplete: true,
    records: asked.records,
    summary: asked.summary,
  });

describe('The whole picture of a subscription', () => {
  it('has what Kafka and the ledger tell, and no notes where nothing is to be said', () => {
    const view = viewOf({}, { records: 7, summary });
    expect(view.backlog).toEqual({
      records: 7,
      recordsOf: 'subscription',
      pending: { count: 12, isCapped: false },
      held: { count: 1000, isCapped: true },
      oldestPendingAt: '2026-11-23T11:00:00.000Z',
      oldestHeldAt: '2026-11-23T10:00:00.000Z',
      nextAttemptAt: '2026-11-23T12:00:30.000Z',
    });
    expect(view.notes).toEqual([]);
    expect(view.lastSuccessAt).toBe('2026-11-23T11:10:00.000Z');
    expect(view.breaker).toEqual({ state: 'closed', since: null, until: null });
  });

  it('says what could not be asked', () => {
    const { backlog, notes } = viewOf({});
    expect(backlog).toEqual({
      records: null,
      recordsOf: 'subscription',
      pending: null,
      held: null,
      oldestPendingAt: null,
      oldestHeldAt: null,
      nextAttemptAt: null,
    });
    expect(notes).toEqual([
      expect.stringMatching(/^Kafka did not tell in time/),
      expect.stringMatching(/^Audit did not tell in time/),
    ]);
    const incomplete = wholeViewOf({
      facts: factsOf(),
      isComplete: false,
      records: 0,
      summary,
    });
    expect(incomplete.notes).toEqual([expect.stringMatching(/has not been read from Kafka yet/)]);
  });

  it('says whose records it counts', () => {
    const { backlog, home, notes } = viewOf(
      { sharedWith: 1, status: { move: { id: 'm', from: 9, startedAt: at('11:00:00') } } },
      { records: 7, summary },
    );
    expect(backlog.recordsOf).toBe('partition');
    expect(home).toEqual({ isExclusive: false, sharedWith: 1 });
    expect(notes).toEqual([
      expect.stringMatching(/shared with one other subscription\.$/),
      expect.stringMatching(/still stands in partition 9/),
    ]);
    expect(viewOf({ sharedWith: 4 }, { records: 7, summary }).notes).toEqual([
      expect.stringMatching(/shared with 4 other subscriptions\.$/),
    ]);
  });

  it('tells the last success of whoever knows of a later one', () => {
    const learnt = { lastSuccessAt: at('11:20:00') };
    expect(viewOf({ learnt }, { summary }).lastSuccessAt).toBe('2026-11-23T11:20:00.000Z');
    expect(viewOf({ learnt }).lastSuccessAt).toBe('2026-11-23T11:20:00.000Z');
    const earlier = { lastSuccessAt: at('11:00:00') };
    expect(viewOf({ learnt: earlier }, { summary }).lastSuccessAt).toBe(summary.lastDeliveredAt);
  });

  it('plans no attempt before the breaker allows one', () => {
    const breaker = { since: at('11:50:00'), until: at('12:04:00'), openings: 3 };
    const open = viewOf({ learnt: { breaker, lastError: refused } }, { summary });
    expect(open.breaker).toEqual({
      state: 'open',
      since: '2026-11-23T11:50:00.000Z',
      until: '2026-11-23T12:04:00.000Z',
    });
    expect(open.backlog.nextAttemptAt).toBe('2026-11-23T12:04:00.000Z');
    expect(open.lastError).toEqual({ ...refused, at: '2026-11-23T11:59:00.000Z' });
    const over = { ...breaker, until: at('11:59:59') };
    const halfOpen = viewOf({ learnt: { breaker: over } }, { summary });
    expect(halfOpen.breaker.state).toBe('half-open');
    expect(halfOpen.backlog.nextAttemptAt).toBe(summary.nextAttemptAt);
  });

  it('goes by the head where order is strict', () => {
    const head = { deliveryId: 'dlv_1', attempt: 2, dueAt: at('12:00:10') };
    expect(viewOf({ learnt: { head } }, { summary }).backlog.nextAttemptAt).toBe('2026-11-23T12:00:10.000Z');
  });

  it('plans no attempt while somebody has to act', () => {
    const stopped = (code: 'paused' | 'unreachable' | 'halted') => ({
      stopped: { kind: 'suspended' as const, at: at('10:00:00'), code, reason: '' },
    });
    for (const known of [
      { spec: { paused: true } },
      { learnt: stopped('paused') },
      { learnt: stopped('halted') },
    ]) {
      expect(viewOf(known, { summary }).backlog.nextAttemptAt).toBeNull();
    }
    const unreachable = viewOf({ learnt: stopped('unreachable') }, { summary });
    expect(unreachable.backlog.nextAttemptAt).toBe(summary.nextAttemptAt);
  });

  it('tells how far a move is', () => {
    const move = { id: 'm', from: 1, startedAt: at('11:00:00') };
    const phase = (known: Known) => viewOf(known).move?.phase;
    expect(phase({ status: { move } })).toBe('switching');
    expect(phase({ status: { move: { ...move, fence: '7' } }, learnt: { drained: 'earlier' } })).toBe(
      'draining',
    );
    expect(phase({ status: { move: { ...move, fence: '7' } }, learnt: { drained: 'm' } })).toBe('drained');
    expect(viewOf({})).not.toHaveProperty('move');
  });
});
