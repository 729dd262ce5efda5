import type { SubscriptionStatus } from '@quittance/contracts';

/** What was learnt until now (suspended, disabled, its breaker) counts no more. */
export function activated(status: SubscriptionStatus): SubscriptionStatus {
  return { ...status, activation: status.activation + 1 };
}
