import type { RateLimit } from '@quittance/contracts';

/**
 * A token bucket. Times are milliseconds of one monotonic clock that the caller reads; nothing here reads a clock.
 *
 * It lets something through while it holds at least one token, whatever that costs: a batch may leave it in debt, and
 * the debt is paid off before anything else gets through.
 */
export class TokenBucket {
  private rate: number;
  private capacity: number;
  private tokens: number;

  /** A new bucket is full. */
  constructor(
    limit: RateLimit,
    private at: number,
  ) {
    this.rate = limit.rate;
    this.capacity = burstOf(limit);
    this.tokens = this.capacity;
  }

  /** What it holds when it is full. */
  get burst(): number {
    return this.capacity;
  }

  /** Tokens per second. */
  get perSecond(): number {
    return this.rate;
  }

  /** Takes over a changed limit. What was there stays, up to the new burst: a change gives no fresh one. */
  adopt(limit: RateLimit, nowMs: number): void {
    const burst = burstOf(limit);
    if (limit.rate === this.rate && burst === this.capacity) return;
    this.refill(nowMs);
    this.rate = limit.rate;
    this.capacity = burst;
    this.tokens = Math.min(this.tokens, burst);
  }

  /** Negative while it is in debt. */
  level(nowMs: number): number {
    this.refill(nowMs);
    return this.tokens;
  }

  allows(nowMs: number): boolean {
    return this.level(nowMs) >= 1;
  }

  take(tokens: number, nowMs: number): void {
    this.refill(nowMs);
    this.tokens -= tokens;
  }

  isFull(nowMs: number): boolean {
    return this.level(nowMs) >= this.capacity;
  }

  /** Milliseconds until it holds that many tokens; 0 if it does. */
  msUntil(tokens: number, nowMs: number): number {
    return Math.max(0, ((tokens - this.level(nowMs)) / this.rate) * 1000);
  }

  private refill(nowMs: number): void {
    if (nowMs <= this.at) return;
    this.tokens = Math.min(this.capacity, this.tokens + ((nowMs - this.at) / 1000) * this.rate);
    this.at = nowMs;
  }
}

/** As many as come in a second, where the limit says nothing else. */
export function burstOf(limit: RateLimit): number {
  return limit.burst ?? Math.max(1, Math.floor(limit.rate));
}
