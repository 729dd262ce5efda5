import type { SubscriptionResource, SubscriptionState } from '@quittance/contracts';
import * as z from 'zod';

/** All that is known of a subscription without asking anybody. */
export interface SubscriptionFacts {
  readonly resource: SubscriptionResource;
  /** What its dispatcher learnt; `undefined` while that is nothing. */
  readonly learnt: SubscriptionState | undefined;
  /** How many other subscriptions have their home on the same partition. */
  readonly sharedWith: number;
  /** How long it may be paused or unreachable before it is suspended. */
  readonly holdMs: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export const standingState = z.enum(['active', 'paused', 'suspended', 'disabled']);

export const standingReason = z.enum(['paused', 'unreachable', 'halted', 'gone', 'failing', 'breaker_open']);

/** Whether a subscription is sent its events, and if not, why. */
export interface Standing {
  readonly state: z.infer<typeof standingState>;
  /** `null`: nothing is the matter. */
  readonly reason: z.infer<typeof standingReason> | null;
  /** Since when the reason holds, epoch milliseconds; `null` where that is not known, or there is no reason. */
  readonly since: number | null;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What was learnt counts for more than what was put: who is suspended stays so until resumed, paused or not. */
export function standingOf({ resource, learnt }: SubscriptionFacts): Standing {
  const { spec, status } = resource;
  if (learnt?.stopped) {
    const { kind, code, at } = learnt.stopped;
    return { state: kind, reason: code, since: at };
  }
  // The ones behind it wait in the home partition first, and in the ledger later: to people that is the same.
  const haltedAt = learnt?.head?.haltedAt;
  if (haltedAt !== undefined) return { state: 'suspended', reason: 'halted', since: haltedAt };
  if (spec.paused) return { state: 'paused', reason: 'paused', since: status.pausedAt ?? null };
  if (learnt?.breaker) return { state: 'active', reason: 'breaker_open', since: learnt.breaker.since };
  if (learnt?.failingSince !== undefined) {
    return { state: 'active', reason: 'failing', since: learnt.failingSince };
  }
  return { state: 'active', reason: null, since: null };
}

/** Half-open begins when the pause is over: the next attempt decides. */
export function breakerStateOf({ learnt, now }: SubscriptionFacts): BreakerState {
  if (!learnt?.breaker) return 'closed';
  return now < learnt.breaker.until && !learnt.breaker.probing ? 'open' : 'half-open';
}
