import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates, type CompiledSubscription } from '@quittance/catalog';
import type { SubscriptionState } from '@quittance/contracts';

/** Whether a subscription can be sent anything now. Reasons are for a person. */
export type Standing =
  | { kind: 'active' }
  /** A later release wrote it: whether it is there, and how it stands, is not known here. */
  | { kind: 'unreadable'; reason: string }
  | { kind: 'gone'; reason: string }
  | { kind: 'paused' | 'suspended' | 'disabled'; reason: string; stopped?: SubscriptionState['stopped'] };

/** How long ago the states must have been confirmed: an active subscription was not suspended before that. */
const STATES_STALENESS_MS = 1_000;

type Subscriptions = Pick<
  Catalogue,
  'ready' | 'isFresh' | 'subscription' | 'subscriptionsFor' | 'isSubscriptionReadable'
>;
type States = Pick<SubscriptionStates, 'ready' | 'confirmedAt' | 'of'>;

/** What the catalogue and the dispatchers say of subscriptions, in one word. */
@Injectable()
export class Standings {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Subscriptions,
    @Inject(SubscriptionStates) private readonly states: States,
  ) {}

  /** False while it is not certain that a subscription that is missing was deleted, or that one may be sent anything. */
  get areFresh(): boolean {
    const { catalogue, states } = this;
    return (
      catalogue.ready &&
      catalogue.isFresh() &&
      states.ready &&
      performance.now() - states.confirmedAt < STATES_STALENESS_MS
    );
  }

  /** @returns `undefined` when there is none of that name */
  uidOf(namespace: string, name: string): string | undefined {
    return this.catalogue.subscription(namespace, name)?.resource.metadata.uid;
  }

  /** @param uid of the subscription that is meant: one made later under the same name is another */
  of(namespace: string, name: string, uid: string): Standing {
    if (!this.catalogue.isSubscriptionReadable(namespace, name)) {
      const reason = `The subscription "${name}" was written by a later release, and this one cannot read it.`;
      return { kind: 'unreadable', reason };
    }
    const resource = this.catalogue.subscription(namespace, name)?.resource;
    if (resource === undefined) {
      return { kind: 'gone', reason: `The subscription "${name}" does not exist any more.` };
    }
    if (resource.metadata.uid !== uid) {
      return { kind: 'gone', reason: `The subscription "${name}" was deleted and created anew since.` };
    }
    const stopped = this.states.of(resource)?.stopped;
    if (stopped?.kind === 'disabled') {
      return { kind: 'disabled', reason: `The subscription "${name}" is disabled.`, stopped };
    }
    if (resource.spec.paused) {
      return { kind: 'paused', reason: `The subscription "${name}" is paused.`, stopped };
    }
    if (stopped !== undefined) {
      return { kind: 'suspended', reason: `The subscription "${name}" is suspended.`, stopped };
    }
    return { kind: 'active' };
  }

  /** Whether the subscription's patterns want the type. */
  wants(namespace: string, name: string, type: string): boolean {
    return this.catalogue
      .subscriptionsFor(namespace, type)
      .some((subscription: CompiledSubscription) => subscription.name === name);
  }
}
