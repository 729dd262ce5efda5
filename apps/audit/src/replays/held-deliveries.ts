import type { EntityManager } from 'typeorm';
import { NEWS_BITS } from '../ledger/rows.js';
import type { DoomedDelivery } from './burial.js';
import { lostBefore } from './collecting.js';
import { addItems, beginReplay, BY_ITSELF, type ReplayItem } from './replay-store.js';

const HELD_RATE = 500;
const DOOMED_AT_ONCE = 500;
/** Among so many of the oldest a probe finds the one that stands first in the log. */
const PROBE_CHOICE = 1_000;
/** After one that failed the next one is not begun at once. */
const FAILURE_PAUSE = `interval '1 minute'`;

/** Whom something is held for. */
export interface HeldFor {
  namespace: string;
  subscription: string;
  subscriptionUid: string;
}

const IS_HELD = `d.namespace = $1 AND d.subscription = $2 AND d.subscription_uid = $3 AND d.state = 'held'
  AND (d.news >> ${NEWS_BITS}) <= $4`;
const ITS_EVENT = `audit.events e ON e.namespace = d.namespace AND e.id = d.event_id AND e.source = d.event_source
  AND e.accepted_at IS NOT NULL`;

/** From one to the next along the index, whatever the number of their deliveries. */
export function subscriptionsWithHeld(manager: EntityManager): Promise<HeldFor[]> {
  return manager.query<HeldFor[]>(
    `WITH RECURSIVE found AS (
       (SELECT namespace, subscription, subscription_uid FROM audit.deliveries WHERE state = 'held'
         ORDER BY namespace, subscription, subscription_uid LIMIT 1)
       UNION ALL
       SELECT following.* FROM found CROSS JOIN LATERAL (
         SELECT namespace, subscription, subscription_uid FROM audit.deliveries
          WHERE state = 'held' AND (namespace, subscription, subscription_uid)
                > (found.namespace, found.subscription, found.subscription_uid)
          ORDER BY namespace, subscription, subscription_uid LIMIT 1) AS following
     )
     SELECT namespace, subscription, subscription_uid AS "subscriptionUid" FROM found`,
  );
}

/** @param before epoch milliseconds: what was heard of later is left to a later look */
export function deliveriesHeldFor(
  manager: EntityManager,
  held: HeldFor,
  before: number,
): Promise<DoomedDelivery[]> {
  return manager.query<DoomedDelivery[]>(
    `SELECT d.id, d.event_id AS "eventId", d.event_source AS "eventSource" FROM audit.deliveries d
      WHERE ${IS_HELD} ORDER BY d.created_at, d.id LIMIT ${DOOMED_AT_ONCE}`,
    [...keyOf(held), before],
  );
}

/** @returns false when there is nothing yet that could be sent, or has to be given up; or one is under way */
export async function beginHeldReplay(
  manager: EntityManager,
  held: HeldFor,
  before: number,
): Promise<boolean> {
  const [ready] = await manager.query<unknown[]>(
    `SELECT 1 WHERE NOT EXISTS (
         SELECT FROM audit.replays WHERE namespace = $1 AND subscription = $2 AND subscription_uid = $3
            AND kind = 'held' AND (state = 'running'
              OR state = 'failed' AND finished_at > clock_timestamp() - ${FAILURE_PAUSE}))
       AND EXISTS (SELECT FROM audit.deliveries d LEFT JOIN ${ITS_EVENT}
                    WHERE ${IS_HELD} AND (e.id IS NOT NULL OR d.created_at < $5))`,
    [...keyOf(held), before, lostBefore(Date.now())],
  );
  if (ready === undefined) return false;
  const begun = await beginReplay(manager, { ...asAutomatic(held), kind: 'held', rate: HELD_RATE });
  return begun !== undefined;
}

export interface ProbeTime {
  /** As of `deliveriesHeldFor`. */
  before: number;
  intervalMs: number;
  /** Since when the subscriber has been given up. */
  since: Date;
}

/** @returns false when it is not time for one, or there is nothing to probe with */
export async function beginProbe(
  manager: EntityManager,
  held: HeldFor,
  { before, intervalMs, since }: ProbeTime,
): Promise<boolean> {
  const [last] = await manager.query<unknown[]>(
    `SELECT 1 WHERE $4::timestamptz > clock_timestamp() - make_interval(secs => $5) OR EXISTS (
       SELECT FROM audit.replays WHERE namespace = $1 AND subscription = $2 AND subscription_uid = $3
          AND kind = 'probe' AND (state = 'running' OR started_at > clock_timestamp() - make_interval(secs => $5)))`,
    [...keyOf(held), since, intervalMs / 1_000],
  );
  if (last !== undefined) return false;
  const [item] = await manager.query<ReplayItem[]>(
    `SELECT e.log_position AS "logPosition", e.id AS "eventId", e.source AS "eventSource"
       FROM (SELECT d.* FROM audit.deliveries d WHERE ${IS_HELD}
              ORDER BY d.created_at, d.id LIMIT ${PROBE_CHOICE}) AS d JOIN ${ITS_EVENT}
      ORDER BY e.log_position LIMIT 1`,
    [...keyOf(held), before],
  );
  if (item === undefined) return false;
  // One probe tells as much as all of those before it.
  await manager.query(
    `DELETE FROM audit.replays
      WHERE namespace = $1 AND subscription = $2 AND subscription_uid = $3 AND kind = 'probe' AND settled`,
    keyOf(held),
  );
  const probe = await beginReplay(manager, { ...asAutomatic(held), kind: 'probe', rate: 1 });
  if (probe === undefined) return false;
  await addItems(manager, probe.id, [item]);
  await manager.query(`UPDATE audit.replays SET collected = true, total = 1 WHERE id = $1`, [probe.id]);
  return true;
}

function asAutomatic(held: HeldFor) {
  return { ...held, since: null, until: null, createdBy: BY_ITSELF };
}

function keyOf({ namespace, subscription, subscriptionUid }: HeldFor): string[] {
  return [namespace, subscription, subscriptionUid];
}
