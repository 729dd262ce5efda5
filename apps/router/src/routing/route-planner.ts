import { Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates } from '@quittance/catalog';
import { Topics, type EventRecord, type IncomingRecord } from '@quittance/contracts';
import { isStrict, Route } from './route.js';
import type { RoutePlan, RouteSpan } from './route-plan.js';

/** Decides who gets an event, and what. */
@Injectable()
export class RoutePlanner {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly states: SubscriptionStates,
    private readonly topics: Topics,
  ) {}

  plan(record: IncomingRecord, event: EventRecord, span: RouteSpan): RoutePlan {
    return new Route(this.catalogue, this.states, this.topics, record, event, span).plan();
  }

  /** Whether a strict subscription may get the event: its order counts. */
  isOrdered({ namespace, attributes, replay, test }: EventRecord): boolean {
    const target = replay ?? test;
    if (!target) return this.catalogue.subscriptionsFor(namespace, attributes.type).some(isStrict);
    const subscription = this.catalogue.subscription(namespace, target.subscription);
    return subscription !== undefined && isStrict(subscription);
  }
}
