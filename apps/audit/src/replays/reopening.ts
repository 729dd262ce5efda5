import type { EntityManager } from 'typeorm';
import { NEWS, NEWS_BITS } from '../ledger/rows.js';

/** A delivery, and the news of it that sending it again answers. */
export interface ClosedDelivery {
  id: string;
  news: string;
}

/**
 * Deliveries that were given up, or held, are open again: they are on their way. The new time follows from the news that
 * it answers instead of this machine's clock: whatever a dispatcher reports next is then newer, skewed or not. One with
 * newer news already is left as it is: what was sent has been answered, and nothing else would come of it.
 */
export async function reopen(manager: EntityManager, deliveries: readonly ClosedDelivery[]): Promise<void> {
  // Locked in the order in which the ledger's writer does, so that neither waits for the other in a circle.
  await manager.query(
    `UPDATE audit.deliveries d
        SET news = (((d.news >> ${NEWS_BITS}) + 1) << ${NEWS_BITS}) | ${NEWS.replayed},
            next_attempt_at = NULL, error_code = NULL, error_message = NULL
       FROM (SELECT c.id FROM audit.deliveries c JOIN unnest($1::text[], $2::bigint[]) AS answered (id, news)
                 ON c.id = answered.id AND c.news = answered.news
              WHERE c.state IN ('dead', 'held')
              ORDER BY c.id FOR NO KEY UPDATE OF c) AS closed
      WHERE d.id = closed.id`,
    [deliveries.map(({ id }) => id), deliveries.map(({ news }) => news)],
  );
}
