import { deliveryIdOf, type ReplayTarget } from '@quittance/contracts';
import type { LedgerEvent, LedgerReplay } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import type { EventReplay } from './event-replay.js';
import { reopen, type ClosedDelivery } from './reopening.js';
import { columnsOf, type ReplayItem } from './replay-store.js';

const MAX_BATCH = 100;
/** Events carry up to 1 MiB each. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** So that what is sent per second comes evenly. */
const BATCHES_PER_SECOND = 10;
/** A batch that comes later than it should is not made up for beyond this. */
const MAX_CATCH_UP_MS = 200;

export interface SentBatch {
  /** Events that were published. */
  sent: number;
  /** The replay has nothing left. */
  isLast: boolean;
}

/**
 * Sends the next events of a replay, in the order of the log. The progress is committed after Kafka has acknowledged them:
 * whoever is killed between the two leaves a batch that is sent once more.
 * @throws PublishError, StoreError
 */
export async function sendBatch(
  manager: EntityManager,
  replay: LedgerReplay,
  events: EventReplay,
): Promise<SentBatch> {
  const items = await nextItems(manager, replay);
  const { subscription, subscriptionUid } = replay;
  const isFiltered = replay.kind === 'recover';
  const target: ReplayTarget = { subscription, subscriptionUid, ...(isFiltered && { filtered: true }) };
  const found = await eventsOf(manager, replay, items);
  // One whose filter does not want it any more is not opened: nothing would close it.
  const held = isFiltered ? undefined : await stillHeld(manager, replay, found);
  const batch = held ? found.filter((event) => held.has(deliveryIdIn(replay, event))) : found;
  if (batch.length > 0) await events.send(batch, target);
  if (held) await reopen(manager, [...held.values()]);
  await manager.query(
    `DELETE FROM audit.replay_items USING unnest($2::bigint[], $3::text[], $4::text[]) AS dealt_with (position, id, source)
      WHERE replay_id = $1 AND log_position = position AND event_id = id AND event_source = source`,
    [replay.id, ...columnsOf(items)],
  );
  await manager.query(
    `UPDATE audit.replays
        SET done = done + $2, waiting = NULL, sent_position = coalesce($5, sent_position),
            next_at = greatest(next_at, clock_timestamp() - make_interval(secs => $3))
                      + make_interval(secs => $4::float8 / rate)
      WHERE id = $1`,
    [replay.id, items.length, MAX_CATCH_UP_MS / 1_000, batch.length, items.at(-1)?.logPosition ?? null],
  );
  return { sent: batch.length, isLast: replay.done + items.length >= replay.total };
}

async function nextItems(
  manager: EntityManager,
  { id, namespace, rate, sentPosition }: LedgerReplay,
): Promise<ReplayItem[]> {
  const size = Math.min(Math.max(Math.ceil(rate / BATCHES_PER_SECOND), 1), MAX_BATCH);
  const rows = await manager.query<(ReplayItem & { bytes: number })[]>(
    `SELECT i.log_position AS "logPosition", i.event_id AS "eventId", i.event_source AS "eventSource",
            coalesce(octet_length(e.data), 0) AS bytes
       FROM audit.replay_items i
       LEFT JOIN audit.events e ON e.namespace = $2 AND e.id = i.event_id AND e.source = i.event_source
      WHERE i.replay_id = $1 AND i.log_position >= $3
      ORDER BY i.log_position, i.event_id, i.event_source LIMIT ${size}`,
    // From the last place on: several events may have it, and not all of them fitted into the batch.
    [id, namespace, sentPosition ?? 0],
  );
  let bytes = 0;
  return rows.filter((row, index) => (bytes += row.bytes) <= MAX_BATCH_BYTES || index === 0);
}

/** Those that are still there; kept from being pruned until the transaction ends. */
function eventsOf(
  manager: EntityManager,
  { namespace }: LedgerReplay,
  items: readonly ReplayItem[],
): Promise<LedgerEvent[]> {
  return manager.query<LedgerEvent[]>(
    `SELECT e.namespace, e.id, e.source, e.accepted_at AS "acceptedAt", e.log_position AS "logPosition", e.revision,
            e.type, e.subject, e.time, e.data_schema AS "dataSchema", e.content_type AS "contentType", e.extensions,
            e.traceparent, e.data, e.test_subscription_uid AS "testSubscriptionUid"
       FROM unnest($2::text[], $3::text[]) AS wanted (id, source)
       JOIN audit.events e ON e.namespace = $1 AND e.id = wanted.id AND e.source = wanted.source
      WHERE e.accepted_at IS NOT NULL
      ORDER BY e.log_position, e.id, e.source
        FOR KEY SHARE OF e`,
    [namespace, items.map((item) => item.eventId), items.map((item) => item.eventSource)],
  );
}

/** Without those that were retried by hand meanwhile, or given up. */
async function stillHeld(
  manager: EntityManager,
  replay: LedgerReplay,
  events: readonly LedgerEvent[],
): Promise<ReadonlyMap<string, ClosedDelivery>> {
  const rows = await manager.query<ClosedDelivery[]>(
    `SELECT id, news FROM audit.deliveries WHERE id = ANY ($1::text[]) AND state = 'held' FOR KEY SHARE`,
    [events.map((event) => deliveryIdIn(replay, event))],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function deliveryIdIn({ subscriptionUid }: LedgerReplay, event: LedgerEvent): string {
  const { namespace, source, id } = event;
  return deliveryIdOf({ namespace, source, id }, subscriptionUid);
}
