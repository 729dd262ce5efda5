import { Injectable } from '@nestjs/common';
import type { DeliveryRecord } from '@quittance/contracts';
import type { HandlerOutcome } from '@quittance/kafka';
import type { Guard } from '../guards/guard.js';
import { Guards } from '../guards/guards.js';
import type { Stopped } from '../guards/learnt.js';
import type { AttemptResult } from './attempt-result.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';

/** What becomes of a delivery whose subscription its guard has found to be stopped. */
@Injectable()
export class StoppedOutcomes {
  constructor(
    private readonly guards: Guards,
    private readonly outcomes: DeliveryOutcomes,
  ) {}

  /** @param result of the attempt that was made; left out: there was none */
  async of(
    delivery: DeliveryRecord,
    guard: Guard,
    stopped: Stopped,
    result?: AttemptResult,
  ): Promise<HandlerOutcome> {
    // Nobody may read what became of it before everybody can read why.
    await this.guards.settled(guard);
    return result
      ? this.outcomes.failedAndStopped(delivery, result, stopped)
      : this.outcomes.stopped(delivery, stopped);
  }
}
