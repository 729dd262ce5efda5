import {
  subscriptionSecrets,
  subscriptionSpec,
  subscriptionStatus,
  type SubscriptionResource,
} from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import type * as z from 'zod';

/** What a subscription's row holds of it. */
export type SubscriptionParts = Pick<SubscriptionResource, 'spec' | 'status' | 'secrets'>;

/** Reads the row of a subscription: what an earlier release left out is filled in. */
export function subscriptionPartsOf(row: ResourceRow): SubscriptionParts {
  return {
    spec: completed(subscriptionSpec, row.spec),
    status: completed(subscriptionStatus, row.status),
    secrets: completed(subscriptionSecrets, row.secrets),
  };
}

/** What a later release wrote, and this one does not understand, stays as it is: readers say so of that one record. */
function completed<T>(schema: z.ZodType<T>, stored: object | null): T {
  const result = schema.safeParse(stored);
  return result.success ? result.data : (stored as T);
}
