import { encodeOutcome, type OutgoingRecord, type Topics } from '@quittance/contracts';
import type { KafkaPublisher } from '@quittance/kafka';
import type { EntityManager } from 'typeorm';
import { NEWS, packedNews } from '../ledger/rows.js';

export interface DoomedDelivery {
  id: string;
  eventId: string;
  eventSource: string;
}

export interface Death {
  namespace: string;
  subscription: string;
  subscriptionUid: string;
  code: 'subscription_deleted' | 'event_gone';
  /** For a person. */
  message: string;
}

/**
 * Held deliveries that cannot be made any more are given up: as an outcome, like every other, and at once in the ledger, so
 * that nobody finds them held again before that outcome comes round.
 * @throws PublishError, StoreError
 */
export async function buryHeld(
  manager: EntityManager,
  publisher: Pick<KafkaPublisher, 'publishAll'>,
  topics: Topics,
  deliveries: readonly DoomedDelivery[],
  { namespace, subscription, subscriptionUid, code, message }: Death,
): Promise<void> {
  if (deliveries.length === 0) return;
  const at = Date.now();
  const outcomes = deliveries.map(({ id, eventId, eventSource }): OutgoingRecord =>
    encodeOutcome(topics.outcomes, {
      type: 'dead',
      at,
      namespace,
      eventId,
      eventSource,
      deliveryId: id,
      subscription,
      subscriptionUid,
      error: { code, message },
    }),
  );
  await publisher.publishAll(outcomes);
  await manager.query(
    `UPDATE audit.deliveries d SET news = $2, error_code = $3, error_message = $4, next_attempt_at = NULL
       FROM (SELECT id FROM audit.deliveries WHERE id = ANY ($1::text[]) AND state = 'held' AND news < $2
              ORDER BY id FOR NO KEY UPDATE) AS held
      WHERE d.id = held.id`,
    [deliveries.map(({ id }) => id), String(packedNews({ at, kind: NEWS.dead })), code, message],
  );
}
