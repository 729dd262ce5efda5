/** How much of an estimate the newest measurement makes up. */
const WEIGHT = 0.1;
const FIRST_GUESS_MS = 50;

/**
 * What a subscriber takes per second, and how much of its future is spoken for by records that were put off: so that
 * each of those is put off until about its turn, instead of all until the same moment.
 */
export class Throughput {
  private meanMs = FIRST_GUESS_MS;
  private bookedUntil = 0;

  measured(durationMs: number): void {
    this.meanMs += (durationMs - this.meanMs) * WEIGHT;
  }

  /** Nothing waits and nothing is under way: what was booked was booked for a slower subscriber. */
  idle(): void {
    this.bookedUntil = 0;
  }

  /** Milliseconds per record. */
  interval(concurrency: number, rate: number | undefined): number {
    const byConcurrency = Math.max(this.meanMs, 0.1) / concurrency;
    return rate === undefined ? byConcurrency : Math.max(byConcurrency, 1000 / rate);
  }

  /**
   * Books a turn behind all those booked before.
   * @param isReturning it had a booking already, which it gives back
   * @returns how long until then, in milliseconds
   */
  book(intervalMs: number, isReturning: boolean, now: number): number {
    const from = Math.max(now, this.bookedUntil - (isReturning ? intervalMs : 0));
    this.bookedUntil = from + intervalMs;
    return this.bookedUntil - now;
  }
}
