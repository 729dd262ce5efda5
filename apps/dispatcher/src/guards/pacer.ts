const MADE_UP_MS = 5;

/** Spaces requests evenly: a silence is not made up for. */
export class Pacer {
  private next = 0;

  /** @param now milliseconds of a clock that does not go back */
  waitMs(now: number): number {
    return Math.max(0, this.next - now);
  }

  /** @param rate requests per second */
  take(rate: number, now: number): void {
    const interval = 1000 / rate;
    // Timers come late by a millisecond or two, and not oftener than every millisecond: so much is made up for.
    this.next = Math.max(this.next, now - Math.max(interval, MADE_UP_MS)) + interval;
  }
}
