import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '@quittance/persistence';
import { LOGGER, Metrics } from '@quittance/service';
import type { Logger } from 'pino';
import { Relay } from './relay.js';

const TICK_MS = 1_000;
const DATABASE_POLL_MS = 50;
/** Kafka acknowledges within milliseconds, if at all. */
const CLOSE_PATIENCE_MS = 2_000;
const PRUNE_EVERY_TICKS = 60;

/** Publishes the snapshot at the start, and from then on what no request has published itself. */
@Injectable()
export class RelayClock {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private failing: string | undefined;
  private hasSnapshot = false;
  private readonly age: ReturnType<Metrics['gauge']>;

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Relay) private readonly relay: Relay,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.age = metrics.gauge(
      'quittance_outbox_age_seconds',
      'Age of the oldest configuration change that Kafka does not have yet; 0 when it has all.',
    );
  }

  /** Whether this process has published its snapshot, and why not. */
  get health(): { ready: boolean; detail: string } {
    return {
      ready: this.hasSnapshot,
      detail: this.failing ?? (this.hasSnapshot ? 'published' : 'the snapshot is not published yet'),
    };
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Waits for the flush under way, but not for as long as Kafka may be gone. */
  async close(): Promise<void> {
    this.stopping.abort();
    const patience = setTimeout(() => this.relay.abandon(), CLOSE_PATIENCE_MS);
    await this.running;
    clearTimeout(patience);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    for (let tick = 0; !signal.aborted; tick++) {
      // Without the database there is nothing to publish, and its own health says so.
      while (!this.database.health.ready && !signal.aborted) await this.pause(DATABASE_POLL_MS);
      if (signal.aborted) return;
      try {
        // First what waits, so that no reader takes a deleted resource for one that the snapshot vouches for.
        await this.relay.flush();
        if (!this.hasSnapshot) {
          await this.relay.publishSnapshot();
          this.hasSnapshot = true;
          this.logger.info('published the configuration snapshot');
        }
        if (tick % PRUNE_EVERY_TICKS === 0) await this.relay.prune();
        if (this.failing !== undefined) this.logger.info('configuration is published again');
        this.failing = undefined;
      } catch (error) {
        if (signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        if (this.failing !== reason)
          this.logger.warn({ err: error }, 'configuration cannot be published; trying again');
        this.failing = reason;
      }
      await this.observeAge();
      await this.pause(TICK_MS);
    }
  }

  /** Ends early when the service does. */
  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }

  private async observeAge(): Promise<void> {
    try {
      this.age.set(await this.relay.oldestPendingSeconds());
    } catch {
      // The database is gone, which readiness says; the gauge keeps what was last known.
    }
  }
}
