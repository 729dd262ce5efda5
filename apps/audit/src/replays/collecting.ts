import { deliveryIdOf } from '@quittance/contracts';
import type { DeliveryState, LedgerReplay } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { CLOCK_SKEW_MS } from '../ledger/fold.js';
import { NEWS_BITS } from '../ledger/rows.js';
import { addItems, type ReplayItem } from './replay-store.js';
import type { DoomedDelivery } from './burial.js';

/** What one look at the ledger brings: a page takes some 10 ms. */
const EVENTS_AT_ONCE = 2_000;
const HELD_AT_ONCE = 1_000;

/**
 * A held delivery is sent only when its news is this old: what the router or a dispatcher, whose clock may be behind, then
 * says of it is newer than the news that it answers.
 */
const SETTLED_MS = CLOCK_SKEW_MS;
/** For as long as `events.v1` keeps it, an event that the ledger does not have may still come. */
const EVENT_KEPT_MS = 7 * 86_400_000;

/** @param at epoch milliseconds, of this machine's clock */
export function settledBefore(at: number): number {
  return at - SETTLED_MS;
}

/** What was heard of before has lost its event, if the ledger does not have that. @param at epoch milliseconds */
export function lostBefore(at: number): Date {
  return new Date(at - EVENT_KEPT_MS);
}

interface EventRow {
  id: string;
  source: string;
  type: string;
  accepted_at: Date;
  log_position: string;
}

/**
 * The next page of a time's events, those of them that the subscription wants and did not get.
 * @param wants the type
 */
export async function collectMissed(
  manager: EntityManager,
  replay: LedgerReplay,
  wants: (type: string) => boolean,
): Promise<void> {
  const { namespace, subscriptionUid, cursor } = replay;
  const page = await manager.query<EventRow[]>(
    `SELECT id, source, type, accepted_at, log_position FROM audit.events
      WHERE namespace = $1 AND accepted_at IS NOT NULL AND accepted_at BETWEEN $2 AND $3
        AND (accepted_at, log_position) > ($4::timestamptz, $5::bigint)
      ORDER BY accepted_at, log_position LIMIT ${EVENTS_AT_ONCE}`,
    [namespace, replay.since, replay.until, ...(cursor ?? ['-infinity', '0'])],
  );
  const wanted = page
    .filter(({ type }) => wants(type))
    .map(({ id, source, log_position }) => ({
      deliveryId: deliveryIdOf({ namespace, source, id }, subscriptionUid),
      item: { logPosition: log_position, eventId: id, eventSource: source },
    }));
  const known = await manager.query<{ id: string; state: DeliveryState }[]>(
    `SELECT id FROM audit.deliveries WHERE id = ANY ($1::text[]) AND state <> 'dead'`,
    [wanted.map(({ deliveryId }) => deliveryId)],
  );
  // Pending, held or delivered: it has it, or will have it.
  const served = new Set(known.map(({ id }) => id));
  const missed = wanted.filter(({ deliveryId }) => !served.has(deliveryId)).map(({ item }) => item);
  const last = page.length < EVENTS_AT_ONCE ? undefined : page.at(-1)!;
  await advance(manager, replay, missed, last && [last.accepted_at.toISOString(), last.log_position]);
}

interface HeldRow {
  id: string;
  event_id: string;
  event_source: string;
  created_at: Date;
  log_position: string | null;
}

/**
 * The next page of what is held for a subscription.
 * @returns the deliveries whose event is gone
 */
export async function collectHeld(manager: EntityManager, replay: LedgerReplay): Promise<DoomedDelivery[]> {
  const now = Date.now();
  const lost = lostBefore(now);
  const page = await manager.query<HeldRow[]>(
    `SELECT d.id, d.event_id, d.event_source, d.created_at, e.log_position
       FROM audit.deliveries d
       LEFT JOIN audit.events e ON e.namespace = d.namespace AND e.id = d.event_id AND e.source = d.event_source
                               AND e.accepted_at IS NOT NULL
      WHERE d.namespace = $1 AND d.subscription = $2 AND d.subscription_uid = $3 AND d.state = 'held'
        AND (d.news >> ${NEWS_BITS}) <= $4 AND (d.created_at, d.id) > ($5::timestamptz, $6::text)
      ORDER BY d.created_at, d.id LIMIT ${HELD_AT_ONCE}`,
    [
      replay.namespace,
      replay.subscription,
      replay.subscriptionUid,
      settledBefore(now),
      ...(replay.cursor ?? ['-infinity', '']),
    ],
  );
  const items: ReplayItem[] = [];
  const doomed: DoomedDelivery[] = [];
  for (const { id, event_id: eventId, event_source: eventSource, created_at, log_position } of page) {
    if (log_position !== null) items.push({ logPosition: log_position, eventId, eventSource });
    else if (created_at < lost) doomed.push({ id, eventId, eventSource });
  }
  const last = page.length < HELD_AT_ONCE ? undefined : page.at(-1)!;
  await advance(manager, replay, items, last && [last.created_at.toISOString(), last.id]);
  return doomed;
}

/** @param cursor where the page ended; `undefined`: it was the last */
async function advance(
  manager: EntityManager,
  { id }: LedgerReplay,
  items: readonly ReplayItem[],
  cursor: [at: string, tie: string] | undefined,
): Promise<void> {
  const added = await addItems(manager, id, items);
  await manager.query(
    `UPDATE audit.replays
        SET total = total + $2, cursor = coalesce($3::json, cursor), collected = $4, waiting = NULL
      WHERE id = $1`,
    [id, added, cursor === undefined ? null : JSON.stringify(cursor), cursor === undefined],
  );
}
