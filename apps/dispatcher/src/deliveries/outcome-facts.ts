import { traceIdOf, type DeliveryRecord } from '@quittance/contracts';

/** What every outcome of a delivery says about it. */
export function outcomeFacts(delivery: DeliveryRecord) {
  const traceId = traceIdOf(delivery.trace?.traceparent);
  return {
    at: Date.now(),
    namespace: delivery.namespace,
    eventId: delivery.eventId,
    eventSource: delivery.eventSource,
    ...(traceId === undefined ? {} : { traceId }),
    deliveryId: delivery.deliveryId,
    subscription: delivery.subscription,
    subscriptionUid: delivery.subscriptionUid,
  };
}
