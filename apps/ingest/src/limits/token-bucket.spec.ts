import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Buckets } from './buckets.js';
import { TokenBucket } from './token-bucket.js';

describe('a token bucket', () => {
  it('lets its burst through at once, then as many as its rate', () => {
    const bucket = new TokenBucket({ rate: 10, burst: 3 }, 0);
    for (let i = 0; i < 3; i++) {
      expect(bucket.allows(0)).toBe(true);
      bucket.take(1, 0);
    }
    expect(bucket.allows(0)).toBe(false);
    expect(bucket.msUntil(1, 0)).toBe(100);
    expect(bucket.allows(99)).toBe(false);
    expect(bucket.allows(100)).toBe(true);
  });

  it('has a second of its rate as burst when none is given, and at least one', () => {
    expect(new TokenBucket({ rate: 20.5 }, 0).burst).toBe(20);
    expect(new TokenBucket({ rate: 0.01 }, 0).burst).toBe(1);
  });

  it('lets a batch through that is larger than what is left, and has the debt paid off before anything else', () => {
    const bucket = new TokenBucket({ rate: 1, burst: 5 }, 0);
    bucket.take(20, 0);
    expect(bucket.level(0)).toBe(-15);
    expect(bucket.msUntil(1, 0)).toBe(16_000);
    expect(bucket.allows(15_999)).toBe(false);
    expect(bucket.allows(16_000)).toBe(true);
  });

  it('gives no fresh burst when the limit changes, whichever way', () => {
    const bucket = new TokenBucket({ rate: 1, burst: 10 }, 0);
    bucket.take(10, 0);
    bucket.adopt({ rate: 5, burst: 1000 }, 1000);
    expect(bucket.level(1000)).toBe(1);
    expect(bucket.level(2000)).toBe(6);
    bucket.adopt({ rate: 5, burst: 2 }, 2000);
    expect(bucket.level(2000)).toBe(2);
  });

  it('takes no harm from a clock that seems to go back', () => {
    const bucket = new TokenBucket({ rate: 1, burst: 2 }, 1000);
    bucket.take(1, 1000);
    expect(bucket.level(0)).toBe(1);
    expect(bucket.level(2000)).toBe(2);
  });

  it('never lets more through than the burst and what came since', () => {
    const step = fc.record({
      pauseMs: fc.integer({ min: 0, max: 2000 }),
      events: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(step, { maxLength: 50 }),
        (rate, burst, steps) => {
          const bucket = new TokenBucket({ rate, burst }, 0);
          let now = 0;
          let through = 0;
          for (const { pauseMs, events } of steps) {
            now += pauseMs;
            if (!bucket.allows(now)) continue;
            // Before a batch there was room for one: only its rest can be in debt.
            expect(through + 1).toBeLessThanOrEqual(burst + (rate * now) / 1000 + 1e-6);
            bucket.take(events, now);
            through += events;
          }
        },
      ),
    );
  });
});

describe('the buckets in use', () => {
  const limit = { rate: 1, burst: 2 };

  it('are the same ones for the same key', () => {
    const buckets = new Buckets();
    buckets.of('a', limit, 0).take(2, 0);
    expect(buckets.of('a', limit, 0).allows(0)).toBe(false);
    expect(buckets.of('b', limit, 0).allows(0)).toBe(true);
  });

  it('take over a changed limit', () => {
    const buckets = new Buckets();
    buckets.of('a', limit, 0).take(2, 0);
    expect(buckets.of('a', { rate: 100, burst: 100 }, 0).level(0)).toBe(0);
    expect(buckets.of('a', { rate: 100, burst: 100 }, 100).level(100)).toBe(10);
  });

  it('are forgotten once they are full again, and not before', () => {
    const buckets = new Buckets();
    buckets.of('idle', limit, 0).take(1, 0);
    buckets.of('busy', { rate: 0.01, burst: 100 }, 0).take(100, 0);
    buckets.of('other', limit, 60_000);
    expect(buckets.size).toBe(2);
    expect(buckets.of('busy', { rate: 0.01, burst: 100 }, 60_000).allows(60_000)).toBe(false);
  });

  it('are never more than there may be', () => {
    const buckets = new Buckets(10);
    for (let i = 0; i < 100; i++) buckets.of(`key ${i}`, limit, 0).take(1, 0);
    expect(buckets.size).toBe(10);
  });
});
