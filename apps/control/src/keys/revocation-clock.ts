import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Database } from '@quittance/persistence';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import { RevocationRecorder } from './revocation-recorder.js';

const TICK_MS = 1_000;
/** What is under way is waited for, but not for as long as Kafka may be gone: it is begun again at the next start. */
const CLOSE_PATIENCE_MS = 2_000;

/** Brings revocations into the database as soon as it answers, and settles them. Every replica does, in turns. */
@Injectable()
export class RevocationClock {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private waking = Promise.withResolvers<void>();
  private failing: string | undefined;

  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Database) private readonly database: Database,
    @Inject(RevocationRecorder) private readonly recorder: RevocationRecorder,
    @Inject(LOGGER) private readonly logger: Logger,
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

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.round();
      await this.pause();
    }
  }

  /** Without the database there is nothing to do, and before everything was read, not everything is known. */
  private async round(): Promise<void> {
    if (!this.catalogue.ready || !this.database.health.ready) return;
    try {
      for (const revocation of this.catalogue.revocations()) await this.recorder.record(revocation);
      this.failing = undefined;
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      // Said when it begins and when its reason changes, not at every attempt.
      if (this.failing !== reason) {
        this.logger.warn({ err: error }, 'a revocation cannot be recorded; it is in force, and tried again');
      }
      this.failing = reason;
    }
  }

  private async pause(): Promise<void> {
    const timer = new AbortController();
    await Promise.race([
      this.waking.promise,
      sleep(TICK_MS, undefined, { signal: timer.signal, ref: false }).catch(() => undefined),
    ]);
    timer.abort();
    this.waking = Promise.withResolvers();
  }
}
