import type { EntityManager } from 'typeorm';
import { NEWS_BITS } from '../ledger/rows.js';
import { batchOf, namespacesIn, type Cutoffs, type Pruned, type PruningStep } from './step.js';

/** An event goes with everything that belongs to it: often three rows, sometimes hundreds. */
const EVENTS_AT_ONCE = 200;
const ROWS_AT_ONCE = 1_000;

/**
 * A delivery `d` of which something may still be heard, or that is held; `$2` is the time since when nothing was heard of
 * it, if not, and `$3` the same of one that is held.
 */
const IN_HAND = `d.state IN ('pending', 'held')
  AND greatest(d.created_at, to_timestamp((d.news >> ${NEWS_BITS}) / 1000.0))
      >= CASE d.state WHEN 'held' THEN $3::timestamptz ELSE $2::timestamptz END`;

/*
 * Rows are deleted by their place (`ctid`), once they are locked: whatever the planner believes of the number of rows, it
 * then reads no table as a whole.
 */

/** Of the deliveries in `gone`; the other CTEs' rows are theirs. */
const OF_DELIVERIES = `
  attempts AS (
    DELETE FROM audit.attempts a USING gone WHERE a.delivery_id = gone.id RETURNING 1
  ), requests AS (
    DELETE FROM audit.retry_requests r USING gone WHERE r.delivery_id = gone.id RETURNING 1
  )`;
const COUNT_OF_DELIVERIES = `
  (SELECT count(*)::int FROM gone) AS delivery,
  (SELECT count(*)::int FROM attempts) AS attempt,
  (SELECT count(*)::int FROM requests) AS retry_request`;

/**
 * Those of the given events that are settled, with all that belongs to them. An event that nobody has routed yet, or with a
 * delivery in hand, stays. What the ledger's writer has locked just now is left out: it becomes a row without its event.
 */
const PRUNE_EVENTS = `
  WITH pruned AS (
    DELETE FROM audit.events e USING unnest($4::text[], $5::text[]) AS old (id, source)
     WHERE e.namespace = $1 AND e.id = old.id AND e.source = old.source
       AND (e.routed_at IS NOT NULL OR e.accepted_at < $2)
       AND NOT EXISTS (
         SELECT FROM audit.deliveries d
          WHERE d.namespace = $1 AND d.event_id = e.id AND d.event_source = e.source AND ${IN_HAND})
    RETURNING e.id, e.source
  ), gone AS (
    DELETE FROM audit.deliveries WHERE ctid = ANY (ARRAY(
      SELECT d.ctid FROM pruned CROSS JOIN LATERAL (
        SELECT ctid FROM audit.deliveries
         WHERE namespace = $1 AND event_id = pruned.id AND event_source = pruned.source
           FOR UPDATE SKIP LOCKED) AS d))
    RETURNING id
  ), ${OF_DELIVERIES}, repeated AS (
    DELETE FROM audit.duplicates WHERE ctid = ANY (ARRAY(
      SELECT r.ctid FROM pruned CROSS JOIN LATERAL (
        SELECT ctid FROM audit.duplicates
         WHERE namespace = $1 AND event_id = pruned.id AND event_source = pruned.source
           FOR UPDATE SKIP LOCKED) AS r))
    RETURNING 1
  )
  SELECT (SELECT count(*)::int FROM pruned) AS event, (SELECT count(*)::int FROM repeated) AS duplicate,
         ${COUNT_OF_DELIVERIES}`;

interface EventKey {
  id: string;
  source: string;
}

/** @param page locked: who retries a delivery by hand holds on to its event, and an event held so is not in the page */
async function pruneEvents(
  manager: EntityManager,
  namespace: string,
  { quiet, held }: Cutoffs,
  page: readonly EventKey[],
): Promise<Pruned | undefined> {
  if (page.length === 0) return undefined;
  const [pruned] = await manager.query<Pruned[]>(PRUNE_EVENTS, [
    namespace,
    quiet,
    held,
    page.map((event) => event.id),
    page.map((event) => event.source),
  ]);
  return pruned;
}

/** Events whose time is over. */
export const oldEvents: PruningStep = {
  namespaces: (manager) => namespacesIn(manager, 'events', 'accepted_at IS NOT NULL'),
  async batch(manager, namespace, cutoffs, after = ['-infinity', '0']) {
    const page = await manager.query<(EventKey & { accepted_at: Date; log_position: string })[]>(
      `SELECT id, source, accepted_at, log_position FROM audit.events
        WHERE namespace = $1 AND accepted_at IS NOT NULL AND accepted_at < $2
          AND (accepted_at, log_position) > ($3::timestamptz, $4::bigint)
        ORDER BY accepted_at, log_position LIMIT ${EVENTS_AT_ONCE} FOR UPDATE SKIP LOCKED`,
      [namespace, cutoffs.events, ...after],
    );
    const pruned = await pruneEvents(manager, namespace, cutoffs, page);
    return batchOf(page, EVENTS_AT_ONCE, (row) => [row.accepted_at, row.log_position], pruned);
  },
};

/** Events whose own record will not come any more: a late routing has written them anew. */
export const halfEvents: PruningStep = {
  namespaces: (manager) => namespacesIn(manager, 'events', 'accepted_at IS NULL'),
  async batch(manager, namespace, cutoffs, after = ['', '']) {
    const page = await manager.query<EventKey[]>(
      `SELECT id, source FROM audit.events
        WHERE namespace = $1 AND accepted_at IS NULL AND routed_at < $2 AND (id, source) > ($3::text, $4::text)
        ORDER BY id, source LIMIT ${EVENTS_AT_ONCE} FOR UPDATE SKIP LOCKED`,
      [namespace, forgotten(cutoffs), ...after],
    );
    const pruned = await pruneEvents(manager, namespace, cutoffs, page);
    return batchOf(page, EVENTS_AT_ONCE, (row) => [row.id, row.source], pruned);
  },
};

/** Deliveries without an event: a late attempt has written them anew. */
export const orphanDeliveries: PruningStep = {
  namespaces: (manager) => namespacesIn(manager, 'deliveries'),
  async batch(manager, namespace, cutoffs, after = ['-infinity', '']) {
    const page = await manager.query<{ id: string; created_at: Date }[]>(
      `SELECT id, created_at FROM audit.deliveries
        WHERE namespace = $1 AND created_at < $2 AND (created_at, id) > ($3::timestamptz, $4::text)
        ORDER BY created_at, id LIMIT ${ROWS_AT_ONCE}`,
      [namespace, forgotten(cutoffs), ...after],
    );
    const [pruned] = await manager.query<Pruned[]>(
      `WITH gone AS (
         DELETE FROM audit.deliveries WHERE ctid = ANY (ARRAY(
           SELECT d.ctid FROM audit.deliveries d
            WHERE d.id = ANY ($4::text[]) AND NOT (${IN_HAND})
              AND NOT EXISTS (
                SELECT FROM audit.events e
                 WHERE e.namespace = $1 AND e.id = d.event_id AND e.source = d.event_source)
              FOR UPDATE OF d SKIP LOCKED))
         RETURNING id
       ), ${OF_DELIVERIES}
       SELECT ${COUNT_OF_DELIVERIES}`,
      [namespace, cutoffs.quiet, cutoffs.held, page.map((row) => row.id)],
    );
    return batchOf(page, ROWS_AT_ONCE, (row) => [row.created_at, row.id], pruned);
  },
};

/** Duplicates of an event that is not there. */
export const orphanDuplicates: PruningStep = {
  namespaces: (manager) => namespacesIn(manager, 'duplicates'),
  async batch(manager, namespace, cutoffs) {
    const [pruned] = await manager.query<{ duplicate: number }[]>(
      `WITH gone AS (
         DELETE FROM audit.duplicates WHERE ctid = ANY (ARRAY(
           SELECT r.ctid FROM audit.duplicates r
            WHERE r.namespace = $1 AND r.at < $2
              AND NOT EXISTS (
                SELECT FROM audit.events e
                 WHERE e.namespace = $1 AND e.id = r.event_id AND e.source = r.event_source)
            ORDER BY r.at LIMIT ${ROWS_AT_ONCE} FOR UPDATE OF r SKIP LOCKED))
         RETURNING 1
       )
       SELECT count(*)::int AS duplicate FROM gone`,
      [namespace, forgotten(cutoffs)],
    );
    return { pruned: pruned ?? {}, ...(pruned?.duplicate === ROWS_AT_ONCE && { next: [] }) };
  },
};

/** Older than what is kept, and too old for the event's own record to be still on its way. */
function forgotten({ events, quiet }: Cutoffs): Date {
  return events < quiet ? events : quiet;
}
