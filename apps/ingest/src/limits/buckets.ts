import type { RateLimit } from '@quittance/contracts';
import { TokenBucket } from './token-bucket.js';

const SWEEP_EVERY_MS = 60_000;
const MAX_BUCKETS = 100_000;

/** The buckets in use, by key. A bucket that is full again says no more than a new one, and is forgotten. */
export class Buckets {
  private readonly buckets = new Map<string, TokenBucket>();
  private sweptAt: number | undefined;

  /** @param capacity how many are kept at most; beyond it the oldest is forgotten */
  constructor(private readonly capacity = MAX_BUCKETS) {}

  get size(): number {
    return this.buckets.size;
  }

  /** The bucket of `key`, with `limit` in force from now on. */
  of(key: string, limit: RateLimit, nowMs: number): TokenBucket {
    this.sweep(nowMs);
    const known = this.buckets.get(key);
    if (known) {
      known.adopt(limit, nowMs);
      return known;
    }
    if (this.buckets.size >= this.capacity) {
      const [oldest] = this.buckets.keys();
      if (oldest !== undefined) this.buckets.delete(oldest);
    }
    const bucket = new TokenBucket(limit, nowMs);
    this.buckets.set(key, bucket);
    return bucket;
  }

  private sweep(nowMs: number): void {
    this.sweptAt ??= nowMs;
    if (nowMs - this.sweptAt < SWEEP_EVERY_MS) return;
    this.sweptAt = nowMs;
    for (const [key, bucket] of this.buckets) {
      if (bucket.isFull(nowMs)) this.buckets.delete(key);
    }
  }
}
