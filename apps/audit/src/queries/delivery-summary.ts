import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@quittance/persistence';
import { QUERY_DATABASE } from '../databases.js';
import type { CappedCount, DeliveriesSummary } from './views.js';

/** Beyond that, how many more there are changes nothing of what anybody does. */
export const MAX_COUNTED = 10_000;

interface Counted {
  count: number;
  oldest: Date | null;
  next: Date | null;
}

/** How a subscription is doing, at a glance: as fast with millions of deliveries as with ten. */
@Injectable()
export class DeliverySummaries {
  constructor(@Inject(QUERY_DATABASE) private readonly database: Database) {}

  /**
   * @param uid only of this subscription, not of earlier ones of the same name
   * @throws StoreError
   */
  async of(namespace: string, subscription: string, uid: string | undefined): Promise<DeliveriesSummary> {
    const parameters = [namespace, subscription, ...(uid === undefined ? [] : [uid])];
    const ofUid = uid === undefined ? 'true' : 'subscription_uid = $3';
    return this.database.run(async (manager) => {
      const counted = async (state: 'pending' | 'held'): Promise<Counted> => {
        const [row] = await manager.query<Counted[]>(
          `SELECT count(*)::int AS count, min(created_at) AS oldest, min(next_attempt_at) AS next
             FROM (SELECT created_at, next_attempt_at FROM audit.deliveries
                    WHERE namespace = $1 AND subscription = $2 AND state = '${state}' AND ${ofUid}
                    ORDER BY created_at, id LIMIT ${MAX_COUNTED + 1}) AS oldest_first`,
          parameters,
        );
        return row!;
      };
      const [pending, held] = [await counted('pending'), await counted('held')];
      // An earlier subscription of the same name may have left any number of these: the present one's are the newest.
      const [dead] = await manager.query<{ count: number }[]>(
        `SELECT count(*)::int AS count
           FROM (SELECT subscription_uid FROM audit.deliveries
                  WHERE namespace = $1 AND subscription = $2 AND state = 'dead'
                  ORDER BY created_at DESC, id DESC LIMIT ${MAX_COUNTED + 1}) AS newest_first
          WHERE ${ofUid}`,
        parameters,
      );
      const [last] = await manager.query<{ delivered: Date | null }[]>(
        `SELECT max(delivered_at) AS delivered
           FROM (SELECT delivered_at, subscription_uid FROM audit.deliveries
                  WHERE namespace = $1 AND subscription = $2
                  ORDER BY created_at DESC, id DESC LIMIT ${MAX_COUNTED}) AS newest_first
          WHERE ${ofUid}`,
        parameters,
      );
      return {
        pending: capped(pending),
        held: capped(held),
        dead: capped(dead!),
        oldestPendingAt: pending.oldest?.toISOString() ?? null,
        oldestHeldAt: held.oldest?.toISOString() ?? null,
        nextAttemptAt: pending.next?.toISOString() ?? null,
        lastDeliveredAt: last?.delivered?.toISOString() ?? null,
      };
    });
  }
}

function capped({ count }: Pick<Counted, 'count'>): CappedCount {
  return { count: Math.min(count, MAX_COUNTED), isCapped: count > MAX_COUNTED };
}
