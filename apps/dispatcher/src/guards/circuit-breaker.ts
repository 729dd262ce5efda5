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
 * half-open and lets one probe through, which closes it or opens it for longer. What comes of a request counts only if
 * that began in the present {@link epoch}.
 */
export class CircuitBreaker {
  private failuresInARow = 0;
  /** Until when the probe that is out is answered. */
  private probeUntil: number | undefined;
  private opening: Opening | undefined;
  private changes = 0;

  /** @param opening what the owner before had learnt; its probe is waited for, since its answer may come yet */
  constructor(
    private readonly settings: BreakerSettings,
    opening?: Opening,
  ) {
    this.opening = opening && { since: opening.since, until: opening.until, openings: opening.openings };
  }

  /** Another one with each opening and each `reset`. While it is open only its probe begins, so that needs none of its own. */
  get epoch(): number {
    return this.changes;
  }

  /** `undefined`: closed. With the probe out it says so, for those who would send meanwhile what has to come back. */
  get opened(): Opening | undefined {
    const { opening, probeUntil } = this;
    if (!opening || probeUntil === undefined) return opening;
    return { ...opening, until: Math.max(opening.until, probeUntil), probing: true };
  }

  get isProbing(): boolean {
    return this.probeUntil !== undefined;
  }

  /** How long until a request may be made: 0 for at once, infinite while the probe is out. */
  waitMs(now: number): number {
    if (!this.opening) return 0;
    return this.isProbing ? Infinity : Math.max(0, this.opening.until - now);
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
   * @param epoch in which the request began, as in all that follows
   * @returns whether the breaker was open
   */
  answered(epoch: number): boolean {
    if (epoch !== this.epoch) return false;
    const wasOpen = this.opening !== undefined;
    this.close();
    return wasOpen;
  }

  /**
   * The request failed for want of an answer.
   * @returns whether the breaker was opened by it, for the first time or again
   */
  failed(epoch: number, now: number): boolean {
    if (epoch !== this.epoch) return false;
    this.probeUntil = undefined;
    this.failuresInARow++;
    if (!this.opening && this.failuresInARow < this.settings.failures) return false;
    const openings = (this.opening?.openings ?? 0) + 1;
    const pauseMs = Math.min(this.settings.firstPauseMs * 2 ** (openings - 1), this.settings.longestPauseMs);
    const jitter = 1 + JITTER * (2 * Math.random() - 1);
    this.opening = {
      since: this.opening?.since ?? now,
      until: now + Math.round(pauseMs * jitter),
      openings,
    };
    this.changes++;
    return true;
  }

  /**
   * The request could not be made, which shows nothing of the subscriber. A probe has failed even so: the next one would
   * fail at once, too, and without a pause in between.
   * @returns as `failed`
   */
  showedNothing(epoch: number, now: number): boolean {
    return this.opening !== undefined && this.failed(epoch, now);
  }

  /** The request was not made after all. */
  abandoned(epoch: number): void {
    if (epoch === this.epoch) this.probeUntil = undefined;
  }

  /** Nothing counts any more of what was learnt, nor what comes of requests that are under way. */
  reset(): void {
    this.close();
    this.changes++;
  }

  private close(): void {
    this.opening = undefined;
    this.probeUntil = undefined;
    this.failuresInARow = 0;
  }
}
