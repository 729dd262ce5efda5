import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { decodeDelivery, type DeliveryRecord, type IncomingRecord } from '@quittance/contracts';
import { done, type HandlerOutcome, type RecordContext } from '@quittance/kafka';
import type { Guard } from '../guards/guard.js';
import { Guards } from '../guards/guards.js';
import { RecentAttempts } from '../guards/recent-attempts.js';
import { StrictDeliverer } from '../ordering/strict-deliverer.js';
import { isToBeForwarded } from '../moving/homes.js';
import { SubscriptionFinder } from '../subscriptions/subscription-finder.js';
import type { AttemptResult } from './attempt-result.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';
import { GuardedAttempt } from './guarded-attempt.js';
import { StoppedOutcomes } from './stopped-outcomes.js';

/** Does what a record of `deliveries.v1` asks for, if its subscription may be sent anything now. */
@Controller()
export class DeliveryHandler {
  constructor(
    private readonly finder: SubscriptionFinder,
    private readonly guards: Guards,
    private readonly attempts: GuardedAttempt,
    private readonly strict: StrictDeliverer,
    private readonly recent: RecentAttempts,
    private readonly outcomes: DeliveryOutcomes,
    private readonly stops: StoppedOutcomes,
  ) {}

  @EventPattern<string>('deliveries')
  async handle(@Payload() record: IncomingRecord, @Ctx() context: RecordContext): Promise<HandlerOutcome> {
    const delivery = decodeDelivery(record);
    for (;;) {
      const found = this.finder.find(delivery, context.over, record.offset);
      const subscription = found instanceof Promise ? await found : found;
      if (typeof subscription === 'string') return this.outcomes.missing(delivery, subscription);
      if (isToBeForwarded(subscription, record.partition)) {
        return this.outcomes.forwarded(delivery, subscription);
      }
      const guard = this.guards.of(subscription, record.partition, context);
      if (guard instanceof Promise) {
        // That may take as long as a move does: much may have changed by then.
        await guard;
        continue;
      }
      const outcome = await (guard.isStrict
        ? this.strict.deliver(record, delivery, guard, context)
        : this.deliver(record, delivery, guard, context));
      if (outcome) return outcome;
    }
  }

  /** @returns nothing when what the record needs has changed while it waited */
  private async deliver(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    guard: Guard,
    context: RecordContext,
  ): Promise<HandlerOutcome | undefined> {
    if (guard.learnt.head?.deliveryId === delivery.deliveryId) {
      const released = await this.strict.release(delivery, guard);
      if (released) return released;
    }
    if (!this.recent.begin(delivery, guard.number)) return done();
    let isTaken = false;
    try {
      const admitted = guard.admit(delivery);
      const admission = admitted instanceof Promise ? await admitted : admitted;
      if (admission.kind === 'anew') return undefined;
      if (admission.kind === 'shunt') return this.outcomes.shunted(delivery, admission);
      if (admission.kind === 'stopped') return await this.stops.of(delivery, guard, admission.stopped);
      const result = await this.attempts.make(record, delivery, guard, admission, context);
      isTaken = true;
      return await this.followed(delivery, guard, result);
    } finally {
      if (!isTaken) this.recent.takeBack(delivery, guard.number);
    }
  }

  private followed(
    delivery: DeliveryRecord,
    guard: Guard,
    result: AttemptResult,
  ): HandlerOutcome | Promise<HandlerOutcome> {
    if (result.verdict === 'success') {
      this.recent.succeeded(delivery);
      return this.outcomes.delivered(delivery, result);
    }
    const { stopped } = guard.learnt;
    if (stopped) return this.stops.of(delivery, guard, stopped, result);
    return this.outcomes.failed(delivery, guard.subscription, result);
  }
}
