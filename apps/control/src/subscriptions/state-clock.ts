import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates } from '@quittance/catalog';
import { Database } from '@quittance/persistence';
import { LOGGER } from '@quittance/service';
import type { Logger } from 'pino';
import { Clock } from '../background/clock.js';
import { StateRemovals } from './state-removals.js';

const TICK_MS = 60_000;

/** Once a minute, and at the start: removes the states of deleted subscriptions. */
@Injectable()
export class StateClock extends Clock {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(SubscriptionStates) private readonly states: SubscriptionStates,
    @Inject(Database) private readonly database: Database,
    @Inject(StateRemovals) private readonly removals: StateRemovals,
    @Inject(LOGGER) logger: Logger,
  ) {
    super(
      { everyMs: TICK_MS, complaint: 'states of deleted subscriptions cannot be removed; trying again' },
      logger,
    );
  }

  /** What the catalogue does not have is taken for deleted: it has to have everything. */
  protected isReady(): boolean {
    return (
      this.catalogue.ready && this.catalogue.isFresh() && this.states.ready && this.database.health.ready
    );
  }

  protected round(): Promise<void> {
    return this.removals.sweep();
  }
}
