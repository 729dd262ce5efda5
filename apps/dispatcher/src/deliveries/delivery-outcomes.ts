import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, type CompiledSubscription } from '@quittance/catalog';
import {
  encodeDelivery,
  encodeOutcome,
  Topics,
  type AttemptOutcome,
  type DeliveryRecord,
  type HeldCode,
  type OutgoingRecord,
} from '@quittance/contracts';
import { deadLetter, done, type HandlerOutcome } from '@quittance/kafka';
import { LOGGER, Metrics } from '@quittance/service';
import { nextStep } from '@quittance/webhooks';
import type { Logger } from 'pino';
import type { Admission } from '../guards/admission.js';
import type { Stopped } from '../guards/learnt.js';
import { shuntStep } from '../guards/shunt-step.js';
import type { Missing } from '../subscriptions/subscription-finder.js';
import type { AttemptResult } from './attempt.service.js';
import { outcomeFacts } from './outcome-facts.js';

const DELETED = {
  code: 'subscription_deleted',
  message: 'The subscription was deleted before the delivery was made.',
};

/** Until then a newer dispatcher may have taken over, or the record may have been written anew. */
const UNREADABLE_WAIT_MS = 60_000;

/** What becomes of a delivery, as records and as the one wide line in the log. */
@Injectable()
export class DeliveryOutcomes {
  private readonly attempts;
  private readonly shunts;

  constructor(
    private readonly topics: Topics,
    private readonly catalogue: Catalogue,
    @Inject(LOGGER) private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.attempts = metrics.counter('quittance_attempts_total', 'Deliveries, by what followed.', ['outcome']);
    this.shunts = metrics.counter(
      'quittance_shunted_total',
      'Deliveries put off without an attempt, because their subscription must not be sent anything.',
    );
  }

  delivered(delivery: DeliveryRecord, result: AttemptResult): HandlerOutcome {
    return done({ ledger: [this.record({ type: 'delivered', ...made(delivery, result), error: null })] });
  }

  /** Another try in a while, or the end of all tries. */
  failed(
    delivery: DeliveryRecord,
    { schedule }: CompiledSubscription,
    result: AttemptResult,
  ): HandlerOutcome {
    const next = nextStep(schedule, this.topics.ladder, delivery.attempt, result.retryAfterMs);
    if (!next) return this.exhausted(delivery, result);
    const { step, notBeforeMs } = next;
    const facts = made(delivery, result);
    const retry: DeliveryRecord = { ...delivery, attempt: delivery.attempt + 1, shunts: 0 };
    if (notBeforeMs === undefined) delete retry.notBefore;
    else retry.notBefore = facts.at + notBeforeMs;
    return done({
      onward: [encodeDelivery({ topic: this.topics.deliveriesRetry(step.name) }, retry)],
      ledger: [this.attempted(delivery, result, facts.at + Math.max(step.delayMs, notBeforeMs ?? 0))],
    });
  }

  /** The attempt is on record, another one follows. */
  attempted(delivery: DeliveryRecord, result: AttemptResult, nextAt: number): OutgoingRecord {
    return this.record({
      type: 'attempted',
      ...made(delivery, result),
      error: errorOf(result),
      nextAt,
    });
  }

  exhausted(delivery: DeliveryRecord, result: AttemptResult): HandlerOutcome {
    const error = errorOf(result);
    const reason = `Attempt ${delivery.attempt} was the last: ${error.message}`;
    return deadLetter('attempts_exhausted', reason, {
      ledger: [this.record({ type: 'dead', ...made(delivery, result), error })],
    });
  }

  /** The attempt found its subscription stopped, or stopped it: no further one is made. */
  failedAndStopped(delivery: DeliveryRecord, result: AttemptResult, stopped: Stopped): HandlerOutcome {
    const facts = made(delivery, result);
    if (stopped.kind === 'suspended') {
      const code = stopped.code as HeldCode;
      return done({ ledger: [this.record({ type: 'held', ...facts, error: errorOf(result), code })] });
    }
    const code = result.verdict === 'gone' ? 'gone' : 'subscription_disabled';
    const message = result.verdict === 'gone' ? stopped.reason : errorOf(result).message;
    return deadLetter(code, message, {
      ledger: [this.record({ type: 'dead', ...facts, error: { code, message } })],
    });
  }

  /** No attempt is made, because the subscription is stopped. */
  stopped(delivery: DeliveryRecord, { kind, code, reason }: Stopped): HandlerOutcome {
    if (kind === 'suspended') {
      const held = { type: 'held', ...outcomeFacts(delivery), code: code as HeldCode } as const;
      return done({ ledger: [this.record(held)] });
    }
    return this.givenUp(delivery, 'subscription_disabled', `The subscription is disabled: ${reason}`);
  }

  /** No attempt is made, nor will be. */
  givenUp(delivery: DeliveryRecord, code: string, message: string): HandlerOutcome {
    return deadLetter(code, message, {
      ledger: [this.record({ type: 'dead', ...outcomeFacts(delivery), error: { code, message } })],
    });
  }

  missing(delivery: DeliveryRecord, why: Missing): HandlerOutcome {
    return why === 'deleted'
      ? this.givenUp(delivery, DELETED.code, DELETED.message)
      : this.shunted(delivery, { waitMs: UNREADABLE_WAIT_MS, blockedMs: 0 });
  }

  /** Not now: put off without an attempt. */
  shunted(
    delivery: DeliveryRecord,
    { waitMs, blockedMs }: Omit<Extract<Admission, { kind: 'shunt' }>, 'kind'>,
  ): HandlerOutcome {
    this.shunts.inc();
    const step = shuntStep(this.topics.ladder, waitMs, blockedMs);
    const record = { ...delivery, shunts: (delivery.shunts ?? 0) + 1 };
    return done({ onward: [encodeDelivery({ topic: this.topics.deliveriesRetry(step.name) }, record)] });
  }

  /** To the subscription's present home. */
  forwarded(delivery: DeliveryRecord, { resource }: CompiledSubscription): HandlerOutcome {
    const { partition } = resource.status;
    // Whoever does not know of that home yet would send it back, and so on until it does.
    const revision = Math.max(delivery.revision, this.catalogue.revision);
    const record = { ...delivery, revision };
    return done({ onward: [encodeDelivery({ topic: this.topics.deliveries, partition }, record)] });
  }

  private record(outcome: AttemptOutcome): OutgoingRecord {
    this.attempts.inc({ outcome: outcome.type });
    // Given up without an attempt: by hand, or with the whole backlog of a subscription that is no more.
    const isUntried = outcome.type === 'dead' && outcome.attemptId === undefined;
    const level = isUntried ? 'debug' : LEVELS[outcome.type];
    if (this.logger.isLevelEnabled(level)) {
      const { response: _response, ...facts } = outcome;
      this.logger[level](facts, `Delivery ${outcome.type}.`);
    }
    return encodeOutcome(this.topics.outcomes, outcome);
  }
}

const LEVELS = { delivered: 'debug', held: 'debug', attempted: 'info', dead: 'warn' } as const;

function made(delivery: DeliveryRecord, result: AttemptResult) {
  return {
    ...outcomeFacts(delivery),
    attemptId: result.attemptId,
    attempt: delivery.attempt,
    status: result.status,
    durationMs: result.durationMs,
    ...(result.fallback === undefined ? {} : { fallback: result.fallback }),
    ...(result.response === undefined ? {} : { response: result.response }),
  };
}

function errorOf({ error }: AttemptResult): { code: string; message: string } {
  return error ?? { code: 'unknown', message: 'The attempt failed.' };
}
