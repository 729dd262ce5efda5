import type { CompiledSubscription } from '@quittance/catalog';
import type { HeldCode, SubscriptionResource } from '@quittance/contracts';
import type { Learnt } from './learnt.js';

export interface Suspension {
  code: HeldCode;
  /** For a person. */
  reason: string;
}

/** @returns epoch milliseconds; `undefined` when it is not paused */
export function pausedSince({ spec, status, metadata }: SubscriptionResource): number | undefined {
  return spec.paused ? (status.pausedAt ?? Date.parse(metadata.updatedAt)) : undefined;
}

export function isStrict({ resource }: Pick<CompiledSubscription, 'resource'>): boolean {
  return resource.spec.delivery.ordering === 'strict';
}

/** Since when its last attempt has failed, which nothing may pass. Without strict order nothing has to wait for it. */
export function haltedSince(subscription: CompiledSubscription, { head }: Learnt): number | undefined {
  return isStrict(subscription) ? head?.haltedAt : undefined;
}

/**
 * Why a subscription is to be suspended now, if it is.
 * @param holdMs for how long its records may wait
 */
export function dueSuspension(
  subscription: CompiledSubscription,
  learnt: Learnt,
  holdMs: number,
  now: number,
): Suspension | undefined {
  const isDue = (since: number | undefined): boolean => since !== undefined && now - since >= holdMs;
  if (isDue(pausedSince(subscription.resource))) return { code: 'paused', reason: 'It was paused by hand.' };
  if (isDue(haltedSince(subscription, learnt))) {
    return { code: 'halted', reason: `Its last attempt to deliver ${learnt.head?.deliveryId} failed.` };
  }
  if (isDue(learnt.breaker.opened?.since)) return { code: 'unreachable', reason: learnt.trouble };
  return undefined;
}
