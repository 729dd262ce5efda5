import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

export interface ClockOptions {
  /** From the end of a round to the beginning of the next, in milliseconds. */
  everyMs: number;
  /** Logged when rounds begin to fail, and when the reason changes. */
  complaint: string;
}

/** How soon it looks again while it may not begin. */
const NOT_READY_MS = 1_000;
/** What is under way is waited for, but not for as long as Kafka may be gone: it is begun again at the next start. */
const CLOSE_PATIENCE_MS = 2_000;

/** Does something in the background, again and again, on every replica: each step of it may be repeated. */
export abstract class Clock {
  protected readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private waking = Promise.withResolvers<void>();
  private failing: string | undefined;

  protected constructor(
    private readonly options: ClockOptions,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running ??= this.run();
  }

  /** There is something to do: the next round begins now. */
  hurry(): void {
    this.waking.resolve();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.hurry();
    const patience = new AbortController();
    await Promise.race([
      this.running,
      sleep(CLOSE_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  /** Whether what a round needs is there. */
  protected abstract isReady(): boolean;

  /** What fails is tried again in the next round. */
  protected abstract round(): Promise<void>;

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const isReady = this.isReady();
      if (isReady) await this.tryRound();
      await this.pause(isReady ? this.options.everyMs : NOT_READY_MS);
    }
  }

  private async tryRound(): Promise<void> {
    try {
      await this.round();
      this.failing = undefined;
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      // Said when it begins and when its reason changes, not at every attempt.
      if (this.failing !== reason) this.logger.warn({ err: error }, this.options.complaint);
      this.failing = reason;
    }
  }

  /** Ends early when there is something to do, or the service ends. */
  private async pause(ms: number): Promise<void> {
    const timer = new AbortController();
    await Promise.race([
      this.waking.promise,
      sleep(ms, undefined, { signal: timer.signal, ref: false }).catch(() => undefined),
    ]);
    timer.abort();
    this.waking = Promise.withResolvers();
  }
}
