import { Inject, Injectable } from '@nestjs/common';
import { Problem, traceIdOf } from '@quittance/contracts';
import {
  type LedgerAttempt,
  LedgerDelivery,
  LedgerEvent,
  RetryRequest,
  type Database,
} from '@quittance/persistence';
import { In, type EntityManager } from 'typeorm';
import { QUERY_DATABASE } from '../databases.js';
import {
  deliveryFacts,
  failure,
  type AttemptView,
  type DeliveryStory,
  type EventStoryView,
} from './views.js';

const MAX_SOURCES_NAMED = 10;
const MAX_DELIVERIES = 500;
const MAX_ATTEMPTS_EACH = 100;

interface Identity {
  namespace: string;
  id: string;
  source: string;
}

/** The whole story of one event, as of one moment. */
@Injectable()
export class EventStory {
  constructor(@Inject(QUERY_DATABASE) private readonly database: Database) {}

  /**
   * @param source needed where several sources have used the id
   * @throws Problem `not_found`, `ambiguous_event`; StoreError
   */
  async tell(namespace: string, id: string, source: string | undefined): Promise<EventStoryView> {
    return this.database.transaction(async (manager) => {
      await manager.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      const identity = await identify(manager, namespace, id, source);
      const event = await manager
        .createQueryBuilder(LedgerEvent, 'event')
        .addSelect('event.data')
        .where({ namespace, id, source: identity.source })
        .getOne();
      const deliveries = await deliveriesOf(manager, identity);
      const [repeated] = await manager.query<{ duplicates: number; conflicts: number }[]>(
        `SELECT count(*)::int AS duplicates, (count(*) FILTER (WHERE conflict))::int AS conflicts
           FROM audit.duplicates WHERE namespace = $1 AND event_id = $2 AND event_source = $3`,
        [namespace, id, identity.source],
      );
      const delivered = new Set(deliveries.map((delivery) => delivery.subscription));
      // A later routing after a crash may have found what an earlier one had not: what was delivered was not skipped.
      const skipped = (event?.skipped ?? []).filter((skip) => !delivered.has(skip.subscription));
      return {
        id,
        source: identity.source,
        type: event?.type ?? null,
        subject: event?.subject ?? null,
        time: event?.time ?? null,
        contentType: event?.contentType ?? null,
        acceptedAt: event?.acceptedAt?.toISOString() ?? null,
        traceId: traceIdOf(event?.traceparent ?? undefined) ?? null,
        routedAt: event?.routedAt?.toISOString() ?? null,
        skipped: skipped.map(({ subscription, code, reason }) => ({ subscription, code, reason })),
        skippedCount: event?.skippedCount ?? 0,
        deliveries,
        duplicates: repeated?.duplicates ?? 0,
        conflicts: repeated?.conflicts ?? 0,
        ...dataOf(event),
      };
    });
  }
}

/** Outcomes may have arrived before their event: then only the deliveries know of it. */
async function identify(
  manager: EntityManager,
  namespace: string,
  id: string,
  source: string | undefined,
): Promise<Identity> {
  const rows = await manager.query<{ source: string }[]>(
    `SELECT source FROM audit.events
      WHERE namespace = $1 AND id = $2 AND ($3::text IS NULL OR source = $3)
     UNION
     SELECT event_source FROM audit.deliveries
      WHERE namespace = $1 AND event_id = $2 AND ($3::text IS NULL OR event_source = $3)
     ORDER BY source LIMIT ${MAX_SOURCES_NAMED}`,
    [namespace, id, source ?? null],
  );
  const [first, second] = rows;
  if (!first) {
    throw new Problem(
      'not_found',
      'The ledger knows no such event. One that was accepted a moment ago may not have arrived yet.',
    );
  }
  if (second) {
    throw new Problem('ambiguous_event', 'Name the event\'s source in the parameter "source".', {
      sources: rows.map((row) => row.source),
    });
  }
  return { namespace, id, source: first.source };
}

async function deliveriesOf(manager: EntityManager, event: Identity): Promise<DeliveryStory[]> {
  const deliveries = await manager.find(LedgerDelivery, {
    where: { namespace: event.namespace, eventId: event.id, eventSource: event.source },
    order: { createdAt: 'ASC', subscription: 'ASC' },
    take: MAX_DELIVERIES,
  });
  if (deliveries.length === 0) return [];
  const ids = deliveries.map((delivery) => delivery.id);
  const attempts = await attemptsOf(manager, ids);
  const requests = await manager.find(RetryRequest, {
    where: { deliveryId: In(ids) },
    order: { requestedAt: 'ASC' },
    take: MAX_DELIVERIES,
  });
  return deliveries.map((delivery) => ({
    ...deliveryFacts(delivery),
    attempts: attempts.get(delivery.id) ?? [],
    retries: requests
      .filter((request) => request.deliveryId === delivery.id)
      .map((request) => ({ at: request.requestedAt.toISOString(), by: request.requestedBy })),
  }));
}

async function attemptsOf(manager: EntityManager, ids: string[]): Promise<Map<string, AttemptView[]>> {
  const rows = await manager.query<LedgerAttempt[]>(
    `SELECT attempt.*
       FROM unnest($1::text[]) AS wanted (id)
      CROSS JOIN LATERAL (
        SELECT delivery_id AS "deliveryId", attempt_id AS "attemptId", number, at, status,
               duration_ms AS "durationMs", error_code AS "errorCode", error_message AS "errorMessage", response
          FROM audit.attempts WHERE delivery_id = wanted.id
         ORDER BY at DESC, number DESC LIMIT ${MAX_ATTEMPTS_EACH}
      ) AS attempt
      ORDER BY at, number, "attemptId"`,
    [ids],
  );
  const views = new Map<string, AttemptView[]>();
  for (const row of rows) {
    const ofDelivery = views.get(row.deliveryId) ?? [];
    views.set(row.deliveryId, ofDelivery);
    ofDelivery.push({
      id: row.attemptId,
      number: row.number,
      at: row.at.toISOString(),
      status: row.status,
      durationMs: row.durationMs,
      error: failure(row.errorCode, row.errorMessage),
      response: row.response,
    });
  }
  return views;
}

/** CloudEvents: without a content type, data are JSON. */
const JSON_TYPE = /^\s*([\w.+-]+\/)?([\w.-]+\+)?json\s*(;|$)/i;

function dataOf(event: LedgerEvent | null): { data: unknown } | { dataBase64: string } | undefined {
  if (!event?.data) return undefined;
  if (JSON_TYPE.test(event.contentType ?? 'application/json')) {
    try {
      return { data: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(event.data)) };
    } catch {
      // Called JSON, but is not: shown as what it is.
    }
  }
  return { dataBase64: event.data.toString('base64') };
}
