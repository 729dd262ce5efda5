import type { Logger } from 'pino';
import type { HealthState } from '../health/health-registry.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/** Tries something until it works, without holding up the start of the service. */
export class Perseverance {
  private done = false;
  private stopped = false;
  private failure: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param what names it in log lines and health details */
  constructor(
    private readonly what: string,
    private readonly attempt: () => Promise<void>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    void this.run(FIRST_PAUSE_MS);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  state(): HealthState {
    if (this.done) return { ready: true };
    return { ready: false, detail: this.failure ?? `${this.what}: connecting` };
  }

  private async run(pauseMs: number): Promise<void> {
    try {
      await this.attempt();
      this.done = true;
      if (this.failure !== undefined) this.logger.info(`${this.what} is there now.`);
    } catch (error) {
      if (this.stopped) return;
      const message = error instanceof Error ? error.message : String(error);
      // Said once, and again when the reason changes: not at every attempt.
      const failure = `${this.what} is not available yet: ${message}`;
      if (failure !== this.failure) this.logger.warn({ err: error }, failure);
      this.failure = failure;
      this.timer = setTimeout(() => void this.run(Math.min(pauseMs * 2, LONGEST_PAUSE_MS)), pauseMs);
    }
  }
}
