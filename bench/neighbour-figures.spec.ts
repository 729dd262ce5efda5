import { describe, expect, it } from 'vitest';
import {
  deadObjections,
  neighbourFigures,
  ratiosOf,
  sendingFigures,
  sharingWithDead,
} from './neighbour-figures.js';
import { NO_ANSWER, type SendRecord } from './messages.js';

const none = new Set<number>();

/** Four events, due a second apart, at three endpoints of which the last one is dead in some runs. */
const EXPECTATION = { firstEvent: 0, events: 4, endpoints: 3 };
const dueAt = Float64Array.of(1000, 2000, 3000, 4000);
const arrivedAt = Float64Array.of(1900, 2010, 3020, 4030, 1900, 2001, 3002, 4050, 1999, 2999, 3999, 4999);

describe('what the neighbours saw', () => {
  it('is of the events after the warm-up, at those endpoints only that answer in every run', () => {
    const { latencyMs, worstP99Ms } = neighbourFigures(
      EXPECTATION,
      { dueAt },
      { arrivedAt },
      {
        healthy: 2,
        sharing: none,
        fromEvent: 1,
      },
    );
    expect(latencyMs).toMatchObject({ count: 6, p50: 10, max: 50 });
    expect(worstP99Ms).toBe(50);
  });

  it('leaves out what never arrived: the ledger says so', () => {
    const { latencyMs } = neighbourFigures(
      EXPECTATION,
      { dueAt },
      { arrivedAt: arrivedAt.with(1, 0) },
      { healthy: 1, sharing: none, fromEvent: 1 },
    );
    expect(latencyMs).toMatchObject({ count: 2, max: 30 });
  });

  it('tells apart those that share a partition with a dead one', () => {
    const sharing = sharingWithDead([5, 6, 7, 6], 3);
    expect(sharing).toEqual(new Set([1]));
    const { sharingMs } = neighbourFigures(
      EXPECTATION,
      { dueAt },
      { arrivedAt },
      {
        healthy: 2,
        sharing,
        fromEvent: 0,
      },
    );
    expect(sharingMs).toMatchObject({ count: 4, max: 900, p50: 2 });
  });

  it('is compared within each round', () => {
    const figures = (p99: number) => ({
      latencyMs: { count: 1, p50: p99, p95: p99, p99, max: p99 },
      worstP99Ms: p99,
      sharingMs: { count: 0, p50: 0, p95: 0, p99: 0, max: 0 },
    });
    const round = (without: number, dead: number) => ({ without: figures(without), with: figures(dead) });
    expect(ratiosOf([round(10, 11), round(100, 90), round(20, 40)])).toEqual({
      each: [1.1, 0.9, 2],
      median: 1.1,
    });
  });
});

it('counts the times of accepted events only', () => {
  const record: SendRecord = {
    status: Int16Array.of(202, 202, NO_ANSWER, 202),
    dueAt,
    sentAt: Float64Array.of(1500, 2001, 3500, 4002),
    answeredAt: Float64Array.of(1600, 2005, 0, 4010),
    heldBack: 0,
    longestQueue: 0,
    errors: {},
  };
  const { acceptanceMs, generatorDelayMs } = sendingFigures(record, 1);
  expect(acceptanceMs).toMatchObject({ count: 2, p50: 5, max: 10 });
  expect(generatorDelayMs).toMatchObject({ count: 2, p50: 1, max: 2 });
});

describe('what is owed to the dead', () => {
  it('is kept as long as it is pending or held', () => {
    expect(deadObjections(100, { pending: 60, held: 40 })).toEqual([]);
    expect(deadObjections(0, {})).toEqual([]);
  });

  it('is missed when audit lists less, or has given it up', () => {
    expect(deadObjections(100, { pending: 60, held: 30, dead: 10 })).toEqual([
      '100 deliveries are owed to the dead, and audit lists 90 as pending or held',
      'audit lists 10 deliveries to the dead as dead',
    ]);
  });

  it('is not delivered to whom never answers', () => {
    expect(deadObjections(1, { pending: 1, delivered: 1 })).toHaveLength(1);
  });
});
