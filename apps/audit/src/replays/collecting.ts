import { deliveryIdOf } from '@quittance/contracts';
import type { DeliveryState, LedgerReplay } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { CLOCK_SKEW_MS, SUBSCRIPTION_DISABLED } from '../ledger/fold.js';
import { NEWS_BITS } from '../ledger/rows.js';
import { addItems, type ReplayItem } from './replay-store.js';
import type { DoomedDelivery } from './burial.js';

/** What one look at the ledger brings: a page takes some 10 ms. */
const EVENTS_AT_ONCE = 2_000;
const GIVEN_UP_AT_ONCE = 2_000;
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

type Cursor = NonNullable<LedgerReplay['cursor']>;

interface EventRow {
  id: string;
  source: string;
  type: string;
  accepted_at: Date;
  log_position: string;
}

/** What one look brings. */
interface Page {
  items: ReplayItem[];
  /** Where it ended; `undefined`: it was the last. */
  end?: Cursor | undefined;
}

/**
 * The next page of a time's events, those of them that the subscription wants and did not get; and after them of what was
 * given up in that time because it was disabled.
 * @param wants the type
 */
export async function collectMissed(
  manager: EntityManager,
  replay: LedgerReplay,
  wants: (type: string) => boolean,
): Promise<void> {
  const [, , part] = replay.cursor ?? [];
  const accepted: Page = part === undefined ? await acceptedPage(manager, replay, wants) : { items: [] };
  if (accepted.end) return advance(manager, replay, accepted);
  const givenUp = await givenUpPage(manager, replay, wants, part && replay.cursor);
  await advance(manager, replay, { ...givenUp, items: [...accepted.items, ...givenUp.items] });
}

async function acceptedPage(
  manager: EntityManager,
  { namespace, subscriptionUid, since, until, startedAt, cursor }: LedgerReplay,
  wants: (type: string) => boolean,
): Promise<Page> {
  // What bears a later time than that of the question comes from a clock that is ahead, or came after it. The latter has
  // yet to be routed, or was: it needs no replay.
  // Postgres begins to read where the cursor says, whatever else bounds the time: it must not be before it.
  const [at, position] = cursor ?? [since!.toISOString(), '-1'];
  const page = await manager.query<EventRow[]>(
    `SELECT id, source, type, accepted_at, log_position FROM audit.events
      WHERE namespace = $1 AND accepted_at IS NOT NULL AND accepted_at BETWEEN $2 AND $3
        AND (accepted_at, log_position) > ($4::timestamptz, $5::bigint) AND test_subscription_uid IS NULL
        AND (accepted_at <= $6 OR routed_at IS NOT NULL)
      ORDER BY accepted_at, log_position LIMIT ${EVENTS_AT_ONCE}`,
    [namespace, since, until, at, position, startedAt],
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
  const last = page.length < EVENTS_AT_ONCE ? undefined : page.at(-1)!;
  return {
    items: wanted.filter(({ deliveryId }) => !served.has(deliveryId)).map(({ item }) => item),
    end: last && [last.accepted_at.toISOString(), last.log_position],
  };
}

interface GivenUpRow {
  id: string;
  event_id: string;
  event_source: string;
  created_at: Date;
  /** `null`, as `log_position`, where it is none of those that are looked for. */
  type: string | null;
  log_position: string | null;
}

/**
 * Of what waited in Kafka when the subscription was disabled, some was accepted long before: it is known by when it was
 * given up. The index finds all that is dead, so that is what a page consists of.
 */
async function givenUpPage(
  manager: EntityManager,
  { namespace, subscription, subscriptionUid, since, until }: LedgerReplay,
  wants: (type: string) => boolean,
  cursor: LedgerReplay['cursor'] | undefined,
): Promise<Page> {
  const page = await manager.query<GivenUpRow[]>(
    `SELECT d.id, d.event_id, d.event_source, d.created_at, e.type, e.log_position
       FROM (SELECT * FROM audit.deliveries
              WHERE namespace = $1 AND subscription = $2 AND state = 'dead' AND created_at <= $5
                AND (created_at, id) > ($6::timestamptz, $7::text)
              ORDER BY created_at, id LIMIT ${GIVEN_UP_AT_ONCE}) AS d
       LEFT JOIN audit.events e
              ON d.subscription_uid = $3 AND d.error_code = '${SUBSCRIPTION_DISABLED}'
             AND (d.news >> ${NEWS_BITS}) BETWEEN $8 AND $9
             AND e.namespace = d.namespace AND e.id = d.event_id AND e.source = d.event_source
             AND e.accepted_at < $4 AND e.test_subscription_uid IS NULL
      ORDER BY d.created_at, d.id`,
    [
      namespace,
      subscription,
      subscriptionUid,
      since,
      until,
      ...(cursor?.slice(0, 2) ?? ['-infinity', '']),
      since!.getTime(),
      until!.getTime(),
    ],
  );
  const items: ReplayItem[] = [];
  for (const { event_id: eventId, event_source: eventSource, type, log_position } of page) {
    if (type === null || log_position === null || !wants(type)) continue;
    items.push({ logPosition: log_position, eventId, eventSource });
  }
  const last = page.length < GIVEN_UP_AT_ONCE ? undefined : page.at(-1)!;
  return { items, end: last && [last.created_at.toISOString(), last.id, 'given-up'] };
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
  await advance(manager, replay, { items, end: last && [last.created_at.toISOString(), last.id] });
  return doomed;
}

async function advance(manager: EntityManager, { id }: LedgerReplay, { items, end }: Page): Promise<void> {
  const added = await addItems(manager, id, items);
  await manager.query(
    `UPDATE audit.replays
        SET total = total + $2, cursor = coalesce($3::json, cursor), collected = $4, waiting = NULL
      WHERE id = $1`,
    [id, added, end === undefined ? null : JSON.stringify(end), end === undefined],
  );
}
