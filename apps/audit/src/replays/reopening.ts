import type { EntityManager } from 'typeorm';
import { NEWS, NEWS_BITS } from '../ledger/rows.js';

/**
 * Deliveries that were given up, or held, are open again: they are on their way. The new time follows from the news that
 * it answers instead of this machine's clock: whatever a dispatcher reports next is then newer, skewed or not.
 */
export async function reopen(manager: EntityManager, deliveryIds: readonly string[]): Promise<void> {
  // Locked in the order in which the ledger's writer does, so that neither waits for the other in a circle.
  await manager.query(
    `UPDATE audit.deliveries d
        SET news = (((d.news >> ${NEWS_BITS}) + 1) << ${NEWS_BITS}) | ${NEWS.replayed},
            next_attempt_at = NULL, error_code = NULL, error_message = NULL
       FROM (SELECT id FROM audit.deliveries WHERE id = ANY ($1::text[]) AND state IN ('dead', 'held')
              ORDER BY id FOR NO KEY UPDATE) AS closed
      WHERE d.id = closed.id`,
    [deliveryIds],
  );
}
