import type { SubscriptionStatus } from '@quittance/contracts';

/** What was learnt until now (suspended, disabled, its breaker) counts no more, nor what was given up when it was resumed. */
export function activated({ skip: _before, ...status }: SubscriptionStatus): SubscriptionStatus {
  return { ...status, activation: status.activation + 1 };
}
