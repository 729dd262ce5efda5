import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Database } from '@quittance/persistence';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import { Clock } from '../background/clock.js';
import { RevocationRecorder } from './revocation-recorder.js';

const TICK_MS = 1_000;

/** Brings revocations into the database as soon as it answers, and settles them. Every replica does, in turns. */
@Injectable()
export class RevocationClock extends Clock {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Database) private readonly database: Database,
    @Inject(RevocationRecorder) private readonly recorder: RevocationRecorder,
    @Inject(LOGGER) logger: Logger,
  ) {
    super(
      {
        everyMs: TICK_MS,
        complaint: 'a revocation cannot be recorded; it is in force, and tried again',
      },
      logger,
    );
  }

  /** Without the database there is nothing to do, and before everything was read, not everything is known. */
  protected isReady(): boolean {
    return this.catalogue.ready && this.database.health.ready;
  }

  protected async round(): Promise<void> {
    for (const revocation of this.catalogue.revocations()) await this.recorder.record(revocation);
  }
}
