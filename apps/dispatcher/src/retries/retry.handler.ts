import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import { Catalogue, SubscriptionStates, type CompiledSubscription } from '@quittance/catalog';
import { decodeDelivery, type DeliveryRecord, type IncomingRecord } from '@quittance/contracts';
import type { HandlerOutcome, RecordContext } from '@quittance/kafka';
import { DeliveryOutcomes } from '../deliveries/delivery-outcomes.js';
import { isProbeOf } from '../guards/probe.js';
import { pausedSince } from '../guards/suspension.js';
import { SubscriptionFinder } from '../subscriptions/subscription-finder.js';

/**
 * Sends a due retry to its subscription's present home, so that one code path delivers. What could not be sent there now
 * is put off again from here: the way through the home would be two records for nothing.
 */
@Controller()
export class RetryHandler {
  constructor(
    private readonly finder: SubscriptionFinder,
    private readonly catalogue: Catalogue,
    private readonly states: SubscriptionStates,
    private readonly outcomes: DeliveryOutcomes,
  ) {}

  @EventPattern<string>('retries')
  async handle(@Payload() record: IncomingRecord, @Ctx() context: RecordContext): Promise<HandlerOutcome> {
    const delivery = decodeDelivery(record);
    const subscription = await this.finder.find(delivery, context.over);
    if (typeof subscription === 'string') return this.outcomes.missing(delivery, subscription);
    const stopped = this.states.of(subscription.resource)?.stopped;
    if (stopped && !(stopped.code === 'unreachable' && isProbeOf(delivery))) {
      return this.outcomes.stopped(delivery, stopped);
    }
    const now = Date.now();
    if (delivery.notBefore !== undefined && delivery.notBefore > now) {
      return this.outcomes.shunted(delivery, { waitMs: delivery.notBefore - now, blockedMs: 0 });
    }
    return this.putOff(subscription, delivery, now) ?? this.outcomes.forwarded(delivery, subscription);
  }

  private putOff(
    { resource }: CompiledSubscription,
    delivery: DeliveryRecord,
    now: number,
  ): HandlerOutcome | undefined {
    const { spec, status } = resource;
    const isShared = this.catalogue.subscriptionsAt(status.partition).size > 1;
    if (!isShared || spec.delivery.ordering === 'strict') return undefined;
    const pausedAt = pausedSince(resource);
    if (pausedAt !== undefined) {
      return this.outcomes.shunted(delivery, { waitMs: 0, blockedMs: now - pausedAt });
    }
    const breaker = this.states.of(resource)?.breaker;
    if (!breaker || breaker.until <= now) return undefined;
    return this.outcomes.shunted(delivery, { waitMs: breaker.until - now, blockedMs: now - breaker.since });
  }
}
