import { Inject, Injectable } from '@nestjs/common';
import { traceIdOf } from '@quittance/contracts';
import type { Database } from '@quittance/persistence';
import { QUERY_DATABASE } from '../databases.js';
import { Conditions } from './conditions.js';
import { cutPage, decodeCursor } from './page-cursor.js';
import type { EventListQuery } from './parameters.js';
import type { EventSummary, Page } from './views.js';

interface Row {
  id: string;
  source: string;
  type: string;
  subject: string | null;
  accepted_at: Date;
  log_position: string;
  traceparent: string | null;
  routed_at: Date | null;
}

/** Events of a namespace, newest first. */
@Injectable()
export class EventList {
  constructor(@Inject(QUERY_DATABASE) private readonly database: Database) {}

  /** @throws Problem `invalid_cursor`; StoreError */
  async page(namespace: string, query: EventListQuery): Promise<Page<EventSummary>> {
    const scope = `events/${namespace}`;
    // An event that only its outcomes have told of has no time yet: it joins the list when its record comes.
    const where = new Conditions().add('namespace = ?', namespace).add('accepted_at IS NOT NULL');
    if (query.type !== undefined) where.add('type = ?', query.type);
    if (query.from) where.add('accepted_at >= ?', query.from);
    if (query.to) where.add('accepted_at < ?', query.to);
    if (query.cursor !== undefined) {
      const end = decodeCursor(scope, query.cursor);
      where.add('(accepted_at, log_position) < (?::timestamptz, ?::bigint)', new Date(end.at), end.tie);
    }
    const rows = await this.database.run((manager) =>
      manager.query<Row[]>(
        `SELECT id, source, type, subject, accepted_at, log_position, traceparent, routed_at
           FROM audit.events
          WHERE ${where.sql}
          ORDER BY accepted_at DESC, log_position DESC
          LIMIT ${query.limit + 1}`,
        where.parameters,
      ),
    );
    return cutPage(rows, { scope, limit: query.limit }, summaryOf, (last) => ({
      at: last.accepted_at.getTime(),
      tie: last.log_position,
    }));
  }
}

function summaryOf(row: Row): EventSummary {
  return {
    id: row.id,
    source: row.source,
    type: row.type,
    subject: row.subject,
    acceptedAt: row.accepted_at.toISOString(),
    traceId: traceIdOf(row.traceparent ?? undefined) ?? null,
    routedAt: row.routed_at?.toISOString() ?? null,
  };
}
