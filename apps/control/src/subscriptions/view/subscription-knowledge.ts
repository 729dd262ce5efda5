import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates } from '@quittance/catalog';
import { parseDuration, type SubscriptionResource } from '@quittance/contracts';
import type { SubscriptionFacts } from './standing.js';

/** How long a subscription that does not say so itself may be paused or unreachable. */
export interface Holds {
  sharedMs: number;
  exclusiveMs: number;
}
export const HOLDS = Symbol('HOLDS');

/** What this process knows of subscriptions, from topics that it follows. */
@Injectable()
export class SubscriptionKnowledge {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(SubscriptionStates) private readonly states: SubscriptionStates,
    @Inject(HOLDS) private readonly holds: Holds,
  ) {}

  /** False until what dispatchers learnt was read once: until then every subscription looks as if all was well. */
  get isComplete(): boolean {
    return this.states.ready;
  }

  of(resource: SubscriptionResource): SubscriptionFacts {
    const { namespace, name } = resource.metadata;
    const sharers = this.catalogue.subscriptionsAt(resource.status.partition);
    const own = this.catalogue.subscription(namespace, name);
    const sharedWith = own !== undefined && sharers.has(own) ? sharers.size - 1 : sharers.size;
    const { hold } = resource.spec.delivery;
    const { sharedMs, exclusiveMs } = this.holds;
    const usual = sharedWith === 0 ? exclusiveMs : sharedMs;
    const holdMs = hold === undefined ? usual : parseDuration(hold);
    return { resource, learnt: this.states.of(resource), sharedWith, holdMs, now: Date.now() };
  }
}
