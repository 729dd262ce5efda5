import type { CompiledSubscription } from '@quittance/catalog';
import {
  encodeDeadLetter,
  encodeOutcome,
  subscriptionKey,
  type IncomingRecord,
  type OutgoingRecord,
  type Topics,
} from '@quittance/contracts';

/** What every outcome of an event says of it. */
export interface EventFacts {
  at: number;
  namespace: string;
  eventId: string;
  eventSource: string;
  traceId: string;
}

export interface Burial {
  subscription: CompiledSubscription;
  deliveryId: string;
  code: string;
  reason: string;
}

/**
 * What is written of a delivery of which no attempt can be made: the event itself becomes the dead letter, for a replay
 * once the cause is mended.
 * @param record the event's
 */
export function bury(
  topics: Topics,
  record: IncomingRecord,
  facts: EventFacts,
  { subscription, deliveryId, code, reason }: Burial,
): [letter: OutgoingRecord, outcome: OutgoingRecord] {
  const { name, uid, namespace } = subscription.resource.metadata;
  const { topic, partition, offset, value, headers } = record;
  const letter = encodeDeadLetter(
    topics.deliveriesDlq,
    { key: Buffer.from(subscriptionKey(namespace, name)), value, headers },
    { code, reason, at: facts.at, topic, partition, offset },
  );
  letter.headers['quittance-delivery-id'] = deliveryId;
  letter.headers['quittance-subscription'] = name;
  letter.headers['quittance-subscription-uid'] = uid;
  const outcome = encodeOutcome(topics.outcomes, {
    type: 'dead',
    ...facts,
    deliveryId,
    subscription: name,
    subscriptionUid: uid,
    error: { code, message: reason },
  });
  return [letter, outcome];
}
