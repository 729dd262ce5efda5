import type { TokenBucket } from './token-bucket.js';

/** What a limit is about; its name in the headers and in metrics. */
export type LimitName = 'namespace' | 'source' | 'api-key';

export interface NamedBucket {
  name: LimitName;
  bucket: TokenBucket;
}

/**
 * `"namespace";q=100;w=1`: the header speaks of a quota per window of whole seconds. A bucket's is what it holds when it is
 * full, in the time that it takes to fill; one that holds less than a second's worth: that.
 */
export function rateLimitPolicy(buckets: readonly NamedBucket[]): string {
  return buckets
    .map(({ name, bucket }) => {
      const quota = Math.max(bucket.burst, Math.floor(bucket.perSecond));
      return `"${name}";q=${quota};w=${Math.max(1, Math.ceil(quota / bucket.perSecond))}`;
    })
    .join(', ');
}

/** The bucket that lets least through; of several that let nothing through, the one to wait longest for. */
export function tightestOf(buckets: readonly [NamedBucket, ...NamedBucket[]], nowMs: number): NamedBucket {
  let [tightest] = buckets;
  for (const candidate of buckets) {
    if (isTighter(candidate.bucket, tightest.bucket, nowMs)) tightest = candidate;
  }
  return tightest;
}

/**
 * `"namespace";r=99;t=1`: how many events are left, and after how many seconds the bucket is full again, or, with none
 * left, lets the next one through (the same as `Retry-After`).
 */
export function rateLimitState({ name, bucket }: NamedBucket, nowMs: number): string {
  const remaining = remainingIn(bucket, nowMs);
  const seconds = remaining === 0 ? secondsUntilNext(bucket, nowMs) : secondsUntilFull(bucket, nowMs);
  return `"${name}";r=${remaining};t=${seconds}`;
}

/** Whole seconds until the bucket lets something through, at least 1. */
export function secondsUntilNext(bucket: TokenBucket, nowMs: number): number {
  return Math.max(1, Math.ceil(bucket.msUntil(1, nowMs) / 1000));
}

function secondsUntilFull(bucket: TokenBucket, nowMs: number): number {
  return Math.ceil(bucket.msUntil(bucket.burst, nowMs) / 1000);
}

function remainingIn(bucket: TokenBucket, nowMs: number): number {
  return Math.max(0, Math.floor(bucket.level(nowMs)));
}

function isTighter(one: TokenBucket, other: TokenBucket, nowMs: number): boolean {
  const difference = remainingIn(one, nowMs) - remainingIn(other, nowMs);
  return difference < 0 || (difference === 0 && one.msUntil(1, nowMs) > other.msUntil(1, nowMs));
}
