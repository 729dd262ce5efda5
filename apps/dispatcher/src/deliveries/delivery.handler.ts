import { Controller, Inject } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { CompiledSubscription } from '@quittance/catalog';
import {
  decodeDelivery,
  encodeDelivery,
  encodeOutcome,
  Topics,
  type AttemptOutcome,
  type DeliveryRecord,
  type IncomingRecord,
} from '@quittance/contracts';
import { deadLetter, done, NotStartedError, type HandlerOutcome, type RecordContext } from '@quittance/kafka';
import { LOGGER, Metrics } from '@quittance/service';
import { consumerSpan, type ActiveSpan } from '@quittance/telemetry';
import { nextStep } from '@quittance/webhooks';
import type { Logger } from 'pino';
import { SubscriptionFinder } from '../subscriptions/subscription-finder.js';
import { SubscriptionLanes } from '../subscriptions/subscription-lanes.js';
import { AttemptService, type AttemptResult } from './attempt.service.js';
import { outcomeFacts } from './outcome-facts.js';

/** Makes the attempt that a record of `deliveries.v1` stands for, and says what follows from it. */
@Controller()
export class DeliveryHandler {
  private readonly attempts;

  constructor(
    private readonly finder: SubscriptionFinder,
    private readonly lanes: SubscriptionLanes,
    private readonly attempt: AttemptService,
    private readonly topics: Topics,
    @Inject(LOGGER) private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.attempts = metrics.counter('quittance_attempts_total', 'Attempts made, by what followed.', [
      'outcome',
    ]);
  }

  @EventPattern<string>('deliveries')
  async handle(@Payload() record: IncomingRecord, @Ctx() context: RecordContext): Promise<HandlerOutcome> {
    const delivery = decodeDelivery(record);
    const subscription = await this.finder.find(delivery);
    if (!subscription) return this.orphaned(delivery);
    const { uid } = subscription.resource.metadata;
    const turn = this.lanes.enter(uid, subscription.resource.spec.delivery.concurrency);
    if (turn) await turn;
    try {
      if (context.isDraining() || !context.isCurrent())
        throw new NotStartedError('The delivery has not begun.');
      return await this.deliver(record, delivery, subscription, context);
    } finally {
      this.lanes.leave(uid);
    }
  }

  private async deliver(
    record: IncomingRecord,
    delivery: DeliveryRecord,
    subscription: CompiledSubscription,
    context: RecordContext,
  ): Promise<HandlerOutcome> {
    const span = consumerSpan(record, { group: this.topics.group('dispatcher') });
    try {
      const result = await this.attempt.attempt(delivery, subscription, span.context, context.signal);
      return this.outcomeOf(delivery, subscription, result, span);
    } finally {
      span.end();
    }
  }

  /** Success, another try, or the end of all tries. */
  private outcomeOf(
    delivery: DeliveryRecord,
    subscription: CompiledSubscription,
    result: AttemptResult,
    span: ActiveSpan,
  ): HandlerOutcome {
    const made = {
      ...outcomeFacts(delivery),
      attemptId: result.attemptId,
      attempt: delivery.attempt,
      status: result.status,
      durationMs: result.durationMs,
      ...(result.response === undefined ? {} : { response: result.response }),
    };
    if (result.isSuccess) {
      return done({ ledger: [this.record({ type: 'delivered', ...made, error: null })] });
    }
    const error = result.error ?? { code: 'unknown', message: 'The attempt failed.' };
    span.fail(error.code, error.message);
    const step = nextStep(subscription.schedule, this.topics.ladder, delivery.attempt, result.retryAfterMs);
    if (!step) {
      const reason = `Attempt ${delivery.attempt} was the last: ${error.message}`;
      return deadLetter('attempts_exhausted', reason, {
        ledger: [this.record({ type: 'dead', ...made, error })],
      });
    }
    return done({
      onward: [
        encodeDelivery(
          { topic: this.topics.deliveriesRetry(step.name) },
          { ...delivery, attempt: delivery.attempt + 1 },
        ),
      ],
      ledger: [this.record({ type: 'attempted', ...made, error, nextAt: made.at + step.delayMs })],
    });
  }

  private orphaned(delivery: DeliveryRecord): HandlerOutcome {
    const error = {
      code: 'subscription_deleted',
      message: 'The subscription was deleted before the delivery was made.',
    };
    return deadLetter(error.code, error.message, {
      ledger: [this.record({ type: 'dead', ...outcomeFacts(delivery), error })],
    });
  }

  /** The outcome's record, and its one wide line in the log. */
  private record(outcome: AttemptOutcome) {
    this.attempts.inc({ outcome: outcome.type });
    const level = outcome.type === 'delivered' ? 'debug' : outcome.type === 'dead' ? 'warn' : 'info';
    if (this.logger.isLevelEnabled(level)) {
      const { response: _response, ...facts } = outcome;
      this.logger[level](facts, `Delivery ${outcome.type}.`);
    }
    return encodeOutcome(this.topics.outcomes, outcome);
  }
}
