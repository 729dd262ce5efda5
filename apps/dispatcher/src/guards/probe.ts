import type { DeliveryRecord } from '@quittance/contracts';

/** Sent on purpose to a subscription that is suspended: to find out whether it can be reached again. */
export function isProbeOf(delivery: DeliveryRecord): boolean {
  return delivery.replay === true || delivery.httpHeaders['quittance-test'] !== undefined;
}
