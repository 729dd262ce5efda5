import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates } from '@quittance/catalog';
import { Database } from '@quittance/persistence';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import { Clock } from '../background/clock.js';
import { HomeMoves } from './home-moves.js';

const TICK_MS = 1_000;

/** Brings moves to their end. Every replica does: what one has done, the others find done. */
@Injectable()
export class MoveClock extends Clock {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(SubscriptionStates) private readonly states: SubscriptionStates,
    @Inject(Database) private readonly database: Database,
    @Inject(HomeMoves) private readonly moves: HomeMoves,
    @Inject(LOGGER) logger: Logger,
  ) {
    super({ everyMs: TICK_MS, complaint: 'a subscription’s move makes no progress; trying again' }, logger);
  }

  protected isReady(): boolean {
    return this.catalogue.ready && this.states.ready && this.database.health.ready;
  }

  protected round(): Promise<void> {
    return this.moves.advance();
  }
}
