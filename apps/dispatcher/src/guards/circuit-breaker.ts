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
  /** The probe is out, and answered by `until` at the latest. */
  probing?: boolean | undefined;
}

/** So that the probes of subscribers that went down together do not come together. */
const JITTER = 0.1;

/**
 * Keeps requests from a subscriber that does not answer. Open, it lets nothing through; when its pause is over it is
 * half-open and lets one probe through, which closes it or opens it for longer.
 */
export class CircuitBreaker {
  private failuresInARow = 0;
  /** Until when the probe that is out is answered. */
  private probeUntil: number | undefined;

  private opening: Opening | undefined;

  /** @param opening what the owner before had learnt; its probe is waited for, since its answer may come yet */
  constructor(
    private readonly settings: BreakerSettings,
    opening?: Opening,
  ) {
    this.opening = opening && { since: opening.since, until: opening.until, openings: opening.openings };
  }

  /** `undefined`: closed. With the probe out it says so, for those who would send meanwhile what has to come back. */
  get opened(): Opening | undefined {
    const { opening, probeUntil } = this;
    if (!opening || probeUntil === undefined) return opening;
    return { ...opening, until: Math.max(opening.until, probeUntil), probing: true };
  }

  /** How long until a request may be made: 0 for at once, infinite while the probe is out. */
  waitMs(now: number): number {
    if (!this.opening) return 0;
    return this.probeUntil !== undefined ? Infinity : Math.max(0, this.opening.until - now);
  }

  /**
   * A request begins.
   * @param until epoch milliseconds: when an answer is there at the latest
   * @returns whether it is the probe
   */
  begin(until: number): boolean {
    if (!this.opening) return false;
    this.probeUntil = until;
    return true;
  }

  /**
   * The subscriber answered, be it with a refusal.
   * @returns whether the breaker was open
   */
  answered(isProbe: boolean): boolean {
    if (isProbe) this.probeUntil = undefined;
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
    if (isProbe) this.probeUntil = undefined;
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
    if (isProbe) this.probeUntil = undefined;
  }
}
