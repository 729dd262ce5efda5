import type { SubscriptionStatus } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import { subscriptionPartsOf } from './subscription-row.js';

/** A subscription's status with the time of its pause: however it was paused, and however it was resumed. */
export function pauseTimed(before: ResourceRow | null, after: ResourceRow): SubscriptionStatus {
  const { spec, status } = subscriptionPartsOf(after);
  const { pausedAt: _pausedAt, ...kept } = status;
  if (!spec.paused) return kept;
  const former = before && subscriptionPartsOf(before);
  const pausedAt = former?.spec.paused ? former.status.pausedAt : after.updatedAt.getTime();
  return pausedAt === undefined ? kept : { ...kept, pausedAt };
}
