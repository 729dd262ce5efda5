import type { RateLimit } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import {
  rateLimitPolicy,
  rateLimitState,
  secondsUntilNext,
  tightestOf,
  type LimitName,
  type NamedBucket,
} from './rate-limit-headers.js';
import { TokenBucket } from './token-bucket.js';

function named(name: LimitName, limit: RateLimit, taken = 0): NamedBucket {
  const bucket = new TokenBucket(limit, 0);
  bucket.take(taken, 0);
  return { name, bucket };
}

describe('the headers of rate limits', () => {
  it('list all policies, as a quota per window of whole seconds', () => {
    expect(
      rateLimitPolicy([
        named('namespace', { rate: 100 }),
        named('source', { rate: 10, burst: 50 }),
        named('api-key', { rate: 0.01 }),
      ]),
    ).toBe('"namespace";q=100;w=1, "source";q=50;w=5, "api-key";q=1;w=100');
  });

  it('state a burst below the rate as the rate, which is what a second lets through', () => {
    expect(rateLimitPolicy([named('namespace', { rate: 1000, burst: 10 })])).toBe('"namespace";q=1000;w=1');
  });

  it('show what is left in the bucket that lets least through, and when it is full again', () => {
    const tightest = tightestOf(
      [named('namespace', { rate: 100 }, 1), named('source', { rate: 2, burst: 20 }, 5)],
      0,
    );
    expect(rateLimitState(tightest, 0)).toBe('"source";r=15;t=3');
  });

  it('show, with nothing left, when the next one is let through, as Retry-After does', () => {
    const tightest = tightestOf(
      [named('namespace', { rate: 1, burst: 5 }, 25), named('source', { rate: 1 }, 3)],
      0,
    );
    expect(rateLimitState(tightest, 0)).toBe('"namespace";r=0;t=21');
    expect(secondsUntilNext(tightest.bucket, 0)).toBe(21);
  });

  it('never tell anybody to come back after no time at all', () => {
    expect(secondsUntilNext(named('namespace', { rate: 1000 }, 1000).bucket, 0)).toBe(1);
  });
});
