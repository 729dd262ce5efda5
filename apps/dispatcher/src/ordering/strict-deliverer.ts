import { Inject, Injectable } from '@nestjs/common';
import { Topics, type DeliveryRecord, type IncomingRecord } from '@quittance/contracts';
import { KafkaPublisher, NotStartedError, type HandlerOutcome, type RecordContext } from '@quittance/kafka';
import { nextStep } from '@quittance/webhooks';
import { DeliveryOutcomes } from '../deliveries/delivery-outcomes.js';
import { GuardedAttempt } from '../deliveries/guarded-attempt.js';
import { StoppedOutcomes } from '../deliveries/stopped-outcomes.js';
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
    private readonly stops: StoppedOutcomes,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publish'>,
    private readonly topics: Topics,
  ) {}

  /**
   * @returns nothing when what the record needs has changed while it waited
   * @throws NotStartedError when the assignment is over: the next owner goes on
   */
  async deliver(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    guard: Guard,
    context: RecordContext,
  ): Promise<HandlerOutcome | undefined> {
    let isLast = true;
    try {
      return await this.deliverInTurn(record, delivery, guard, context);
    } catch (error) {
      // It is tried again, unless it is given up: nothing passes it until then.
      isLast = error instanceof Error && 'retryable' in error && error.retryable === false;
      throw error;
    } finally {
      if (isLast) guard.letGo(record.offset);
    }
  }

  /**
   * Its order is not strict any more: what was tried in place is tried as others are, from the attempt that is next.
   * @returns nothing when it begins anew, because its last attempt was made
   */
  async release(delivery: DeliveryRecord, guard: Guard): Promise<HandlerOutcome | undefined> {
    const { head } = guard.learnt;
    if (!head || head.haltedAt !== undefined) {
      await this.leaveHead(guard);
      return undefined;
    }
    // Not saved before the record that follows is written: the next owner finds it as it was, and does the same.
    guard.learnt.head = undefined;
    const waitMs = Math.max(0, head.dueAt - Date.now());
    return this.outcomes.shunted({ ...delivery, attempt: head.attempt }, { waitMs, blockedMs: 0 });
  }

  private async deliverInTurn(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    guard: Guard,
    context: RecordContext,
  ): Promise<HandlerOutcome | undefined> {
    while (guard.isStrict) {
      const admission = await guard.admit(delivery, record.offset);
      if (admission.kind === 'anew') break;
      if (admission.kind === 'shunt') throw new Error('What is in strict order is never shunted.');
      if (admission.kind === 'stopped') return this.stops.of(delivery, guard, admission.stopped);
      guard.holdFor(record.offset);
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
    return undefined;
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
    const { stopped } = learnt;
    if (stopped) {
      await this.leaveHead(guard);
      return this.stops.of(delivery, guard, stopped, result);
    }
    if (!guard.isStrict) {
      await this.leaveHead(guard);
      return this.outcomes.failed(delivery, subscription, result);
    }
    const now = Date.now();
    const next = nextStep(subscription.schedule, this.topics.ladder, attempt, result.retryAfterMs);
    if (next) {
      // Asked for longer than the longest step lasts, it waits for that step only: the whole partition waits with it, and
      // must not expire meanwhile.
      learnt.head = { deliveryId, attempt: attempt + 1, dueAt: now + next.step.delayMs };
    } else if (subscription.resource.spec.delivery.whenExhausted === 'skip') {
      // Not saved before the dead letter is written: the next owner would begin its schedule anew.
      learnt.head = undefined;
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
    { assignment }: Guard,
    nextAt: number,
  ): Promise<void> {
    const outcome = this.outcomes.attempted(delivery, result, nextAt);
    for (;;) {
      try {
        await this.publisher.publish(outcome);
        return;
      } catch (error) {
        if (!assignment.isCurrent())
          throw new NotStartedError("Its next attempt is the next owner's.", { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
}
