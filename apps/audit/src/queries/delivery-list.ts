import { Inject, Injectable } from '@nestjs/common';
import type { Database, DeliveryState } from '@quittance/persistence';
import { QUERY_DATABASE } from '../databases.js';
import { Conditions } from './conditions.js';
import { cutPage, decodeCursor } from './page-cursor.js';
import type { DeliveryListQuery } from './parameters.js';
import { deliveryFacts, type DeliverySummary, type Page } from './views.js';

interface Row {
  id: string;
  event_id: string;
  event_source: string;
  type: string | null;
  subscription: string;
  state: DeliveryState;
  created_at: Date;
  delivered_at: Date | null;
  next_attempt_at: Date | null;
  error_code: string | null;
  error_message: string | null;
  attempts: number;
}

/** Deliveries of a namespace, newest first. */
@Injectable()
export class DeliveryList {
  constructor(@Inject(QUERY_DATABASE) private readonly database: Database) {}

  /** @throws Problem `invalid_cursor`; StoreError */
  async page(namespace: string, query: DeliveryListQuery): Promise<Page<DeliverySummary>> {
    const scope = `deliveries/${namespace}`;
    const where = new Conditions().add('d.namespace = ?', namespace);
    if (query.subscription !== undefined) where.add('d.subscription = ?', query.subscription);
    // Written out where the partial index needs to see it: a parameter would hide it from a cached plan.
    if (query.state !== undefined) where.add(`d.state = '${query.state}'`);
    if (query.event !== undefined) where.add('d.event_id = ?', query.event);
    // Not stored with the delivery. Postgres chooses by how common the type is: along the deliveries, looking up
    // each one's event, or from the events of the type to their deliveries.
    if (query.type !== undefined) where.add('e.type = ? AND e.accepted_at IS NOT NULL', query.type);
    if (query.from) where.add('d.created_at >= ?', query.from);
    if (query.to) where.add('d.created_at < ?', query.to);
    if (query.cursor !== undefined) {
      const end = decodeCursor(scope, query.cursor);
      where.add('(d.created_at, d.id) < (?::timestamptz, ?::text)', new Date(end.at), end.tie);
    }
    const rows = await this.database.run((manager) =>
      manager.query<Row[]>(
        `SELECT d.id, d.event_id, d.event_source, e.type, d.subscription, d.state, d.created_at, d.delivered_at,
                d.next_attempt_at, d.error_code, d.error_message,
                (SELECT count(*)::int FROM audit.attempts a WHERE a.delivery_id = d.id) AS attempts
           FROM audit.deliveries d
           ${query.type === undefined ? 'LEFT JOIN' : 'JOIN'} audit.events e
             ON e.namespace = d.namespace AND e.id = d.event_id AND e.source = d.event_source
          WHERE ${where.sql}
          ORDER BY d.created_at DESC, d.id DESC
          LIMIT ${query.limit + 1}`,
        where.parameters,
      ),
    );
    return cutPage(rows, { scope, limit: query.limit }, summaryOf, (last) => ({
      at: last.created_at.getTime(),
      tie: last.id,
    }));
  }
}

function summaryOf(row: Row): DeliverySummary {
  return {
    ...deliveryFacts({
      id: row.id,
      subscription: row.subscription,
      state: row.state,
      createdAt: row.created_at,
      deliveredAt: row.delivered_at,
      nextAttemptAt: row.next_attempt_at,
      errorCode: row.error_code,
      errorMessage: row.error_message,
    }),
    event: { id: row.event_id, source: row.event_source, type: row.type },
    attemptCount: row.attempts,
  };
}
