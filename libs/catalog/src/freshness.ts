import type { ConfigSource } from './config-source.js';
import { Waiters } from './waiters.js';

/** How often a caller that waits for freshness looks again. The long poll behind it lasts up to 100 ms. */
const POLL_MS = 5;

/** Whether what was read is still "now", and callers that wait until it is. */
export class Freshness {
  private readonly waiters = new Waiters();
  private poll: NodeJS.Timeout | undefined;

  /** @param stalenessMs how long after its beginning the last completed fetch counts as "now" */
  constructor(
    private readonly source: Pick<ConfigSource, 'confirmedAt'>,
    private readonly stalenessMs: number,
  ) {}

  get isFresh(): boolean {
    const { confirmedAt } = this.source;
    return confirmedAt > 0 && performance.now() - confirmedAt <= this.stalenessMs;
  }

  /** @param late makes the error for when `timeoutMs` passed first */
  wait(timeoutMs: number, late: () => Error): Promise<void> {
    if (this.isFresh) return Promise.resolve();
    this.poll ??= setInterval(() => this.look(), POLL_MS);
    return this.waiters.wait(0, timeoutMs, late);
  }

  close(error: Error): void {
    clearInterval(this.poll);
    this.poll = undefined;
    this.waiters.rejectAll(error);
  }

  private look(): void {
    if (this.isFresh) this.waiters.advance(0);
    if (this.waiters.size > 0) return;
    clearInterval(this.poll);
    this.poll = undefined;
  }
}
