import { Injectable } from '@nestjs/common';
import { Topics, type DeliveryRecord, type IncomingRecord } from '@quittance/contracts';
import { KafkaPublisher, NotStartedError, type HandlerOutcome, type RecordContext } from '@quittance/kafka';
import { nextStep } from '@quittance/webhooks';
import { DeliveryOutcomes } from '../deliveries/delivery-outcomes.js';
import { GuardedAttempt } from '../deliveries/guarded-attempt.js';
import type { AttemptResult } from '../deliveries/attempt.service.js';
import type { Guard } from '../guards/guard.js';
import { Guards } from '../guards/guards.js';

/**
 * Delivers in the order of the home partition: the guard gives one turn at a time, and a delivery that fails is tried
 * again in place, before all that wait behind it. Which attempt is next, and when, is in the subscription's state, so
 * that the next owner of the partition goes on there.
 */
@Injectable()
export class StrictDeliverer {
  constructor(
    private readonly attempts: GuardedAttempt,
    private readonly guards: Guards,
    private readonly outcomes: DeliveryOutcomes,
    private readonly publisher: KafkaPublisher,
    private readonly topics: Topics,
  ) {}

  /** @throws NotStartedError when the assignment is over: the next owner goes on */
  async deliver(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    guard: Guard,
    context: RecordContext,
  ): Promise<HandlerOutcome> {
    try {
      return await this.deliverInTurn(record, delivery, guard, context);
    } finally {
      guard.letGo(delivery.deliveryId);
    }
  }

  private async deliverInTurn(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    guard: Guard,
    context: RecordContext,
  ): Promise<HandlerOutcome> {
    for (let isAgain = false; ; isAgain = true) {
      const admission = await guard.admit(delivery, isAgain);
      if (admission.kind === 'shunt') throw new Error('What is in strict order is never shunted.');
      if (admission.kind === 'stopped') {
        await this.guards.settled(guard);
        return this.outcomes.stopped(delivery, admission.stopped);
      }
      guard.holdFor(delivery.deliveryId);
      const { learnt } = guard;
      if (guard.subscription.resource.status.skip === delivery.deliveryId) {
        guard.settle(admission, { verdict: 'aborted' });
        return this.outcomes.givenUp(delivery, 'skipped_by_operator', 'It was given up by hand.');
      }
      const { head } = learnt;
      const attempt = head?.deliveryId === delivery.deliveryId ? head.attempt : delivery.attempt;
      const tried = { ...delivery, attempt };
      const result = await this.attempts.make(record, tried, guard, admission, context);
      const outcome = await this.follow(tried, guard, result);
      if (outcome) return outcome;
    }
  }

  /** @returns nothing when it is to be tried again */
  private async follow(
    delivery: DeliveryRecord,
    guard: Guard,
    result: AttemptResult,
  ): Promise<HandlerOutcome | undefined> {
    const { learnt, subscription } = guard;
    const { deliveryId, attempt } = delivery;
    if (result.verdict === 'success') {
      await this.leaveHead(guard);
      return this.outcomes.delivered(delivery, result);
    }
    if (learnt.stopped) {
      await this.leaveHead(guard);
      return this.outcomes.failedAndStopped(delivery, result, learnt.stopped);
    }
    const now = Date.now();
    const next = nextStep(subscription.schedule, this.topics.ladder, attempt, result.retryAfterMs);
    if (next) {
      const dueAt = now + Math.max(next.step.delayMs, next.notBeforeMs ?? 0);
      learnt.head = { deliveryId, attempt: attempt + 1, dueAt };
    } else if (subscription.resource.spec.delivery.whenExhausted === 'skip') {
      await this.leaveHead(guard);
      return this.outcomes.exhausted(delivery, result);
    } else learnt.head = { deliveryId, attempt, dueAt: now, haltedAt: now };
    await this.record(delivery, result, guard, learnt.head.dueAt);
    await this.guards.save(guard);
    return undefined;
  }

  /** A delivery of the same id may come again, by a replay: it must not go on where this one ended. */
  private async leaveHead(guard: Guard): Promise<void> {
    if (!guard.learnt.head) return;
    guard.learnt.head = undefined;
    await this.guards.save(guard);
  }

  /** The attempt is on record before another one is made. */
  private async record(
    delivery: DeliveryRecord,
    result: AttemptResult,
    { over }: Guard,
    nextAt: number,
  ): Promise<void> {
    const outcome = this.outcomes.attempted(delivery, result, nextAt);
    for (;;) {
      try {
        await this.publisher.publish(outcome);
        return;
      } catch (error) {
        if (over.aborted)
          throw new NotStartedError("Its next attempt is the next owner's.", { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
}
