/** When a breaker opens, and for how long. */
export interface BreakerSettings {
  /** Failures in a row after which it opens. */
  failures: number;
  firstPauseMs: number;
  /** The pause doubles up to this. */
  longestPauseMs: number;
}

/** Since when a breaker has not been closed, when its next probe is, and how often it was opened since. */
export interface Opening {
  /** Epoch milliseconds, like `until`. */
  since: number;
  until: number;
  openings: number;
}

/** So that the probes of subscribers that went down together do not come together. */
const JITTER = 0.1;

/**
 * Keeps requests from a subscriber that does not answer. Open, it lets nothing through; when its pause is over it is
 * half-open and lets one probe through, which closes it or opens it for longer.
 */
export class CircuitBreaker {
  private failuresInARow = 0;
  private probeIsOut = false;

  /** @param opening what the owner before had learnt */
  constructor(
    private readonly settings: BreakerSettings,
    private opening?: Opening,
  ) {}

  /** `undefined`: closed. */
  get opened(): Opening | undefined {
    return this.opening;
  }

  /** How long until a request may be made: 0 for at once, infinite while the probe is out. */
  waitMs(now: number): number {
    if (!this.opening) return 0;
    return this.probeIsOut ? Infinity : Math.max(0, this.opening.until - now);
  }

  /**
   * A request begins.
   * @returns whether it is the probe
   */
  begin(): boolean {
    if (!this.opening) return false;
    this.probeIsOut = true;
    return true;
  }

  /**
   * The subscriber answered, be it with a refusal.
   * @returns whether the breaker was open
   */
  answered(isProbe: boolean): boolean {
    if (isProbe) this.probeIsOut = false;
    this.failuresInARow = 0;
    const wasOpen = this.opening !== undefined;
    this.opening = undefined;
    return wasOpen;
  }

  /**
   * The request failed for want of an answer. While the breaker is open only the probe's failure counts: the others began
   * before it opened.
   * @returns whether the breaker was opened by it, for the first time or again
   */
  failed(isProbe: boolean, now: number): boolean {
    if (isProbe) this.probeIsOut = false;
    this.failuresInARow++;
    if (this.opening ? !isProbe : this.failuresInARow < this.settings.failures) return false;
    const openings = (this.opening?.openings ?? 0) + 1;
    const pauseMs = Math.min(this.settings.firstPauseMs * 2 ** (openings - 1), this.settings.longestPauseMs);
    const jitter = 1 + JITTER * (2 * Math.random() - 1);
    this.opening = {
      since: this.opening?.since ?? now,
      until: now + Math.round(pauseMs * jitter),
      openings,
    };
    return true;
  }

  /** The request was not made after all. */
  abandoned(isProbe: boolean): void {
    if (isProbe) this.probeIsOut = false;
  }
}
