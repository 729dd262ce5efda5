import type { LedgerReplay, ReplayKind, ReplayState } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';

/** Who began what nobody asked for. */
export const BY_ITSELF = 'quittance';

export interface NewReplay {
  namespace: string;
  subscription: string;
  subscriptionUid: string;
  kind: ReplayKind;
  since: Date | null;
  until: Date | null;
  rate: number;
  createdBy: string;
}

const COLUMNS = `id, namespace, subscription, subscription_uid AS "subscriptionUid", kind, since, until, rate, state, settled,
  fence, cursor, collected, total, done, sent_position AS "sentPosition", waiting, next_at AS "nextAt", started_at AS "startedAt",
  finished_at AS "finishedAt", created_by AS "createdBy", error`;

/** Milliseconds, as the API shows them, and as pages tell rows apart. */
const NOW = `date_trunc('milliseconds', clock_timestamp())`;

/** @returns `undefined` when one of the kind runs for the subscription already */
export async function beginReplay(
  manager: EntityManager,
  replay: NewReplay,
): Promise<LedgerReplay | undefined> {
  const [row] = await manager.query<LedgerReplay[]>(
    `INSERT INTO audit.replays (id, namespace, subscription, subscription_uid, kind, since, until, rate,
                                next_at, started_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, ${NOW}, ${NOW}, $9)
     ON CONFLICT (namespace, subscription_uid, kind) WHERE state = 'running' DO NOTHING
     RETURNING ${COLUMNS}`,
    [
      uuidv7(),
      replay.namespace,
      replay.subscription,
      replay.subscriptionUid,
      replay.kind,
      replay.since,
      replay.until,
      replay.rate,
      replay.createdBy,
    ],
  );
  return row;
}

export async function findReplay(manager: EntityManager, id: string): Promise<LedgerReplay | undefined> {
  const [row] = await manager.query<LedgerReplay[]>(`SELECT ${COLUMNS} FROM audit.replays WHERE id = $1`, [
    id,
  ]);
  return row;
}

/** @returns `undefined` when there is nothing to be done for it now */
export async function findDueReplay(manager: EntityManager, id: string): Promise<LedgerReplay | undefined> {
  const [row] = await manager.query<LedgerReplay[]>(
    `SELECT ${COLUMNS} FROM audit.replays WHERE id = $1 AND NOT settled AND next_at <= clock_timestamp()`,
    [id],
  );
  return row;
}

export interface UnsettledReplay {
  id: string;
  kind: ReplayKind;
  state: ReplayState;
  /** Until there is something to be done for it; not above 0: now. */
  inMs: number;
}

/** Those that anything is left to do for, the most urgent first. */
export function unsettledReplays(manager: EntityManager): Promise<UnsettledReplay[]> {
  return manager.query<UnsettledReplay[]>(
    `SELECT id, kind, state, (extract(epoch FROM next_at - clock_timestamp()) * 1000)::float8 AS "inMs"
       FROM audit.replays WHERE NOT settled ORDER BY next_at LIMIT ${UNSETTLED_AT_ONCE}`,
  );
}

/** The runner's way through all of them begins anew with each look, so that a page is enough. */
const UNSETTLED_AT_ONCE = 200;
const ITEMS_AT_ONCE = 5_000;

/** Takes away what an ended replay has left unsent, a part at a time. */
export async function clearReplay(manager: EntityManager, id: string): Promise<void> {
  const [left] = await manager.query<{ count: number }[]>(
    `WITH gone AS (
       DELETE FROM audit.replay_items WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM audit.replay_items WHERE replay_id = $1 LIMIT ${ITEMS_AT_ONCE}))
       RETURNING 1
     )
     SELECT count(*)::int AS count FROM gone`,
    [id],
  );
  if (left?.count === ITEMS_AT_ONCE) return;
  await manager.query(`UPDATE audit.replays SET settled = true WHERE id = $1`, [id]);
}

/** @param where of the columns of `audit.replays` */
export function listReplays(
  manager: EntityManager,
  where: { sql: string; parameters: unknown[] },
  limit: number,
): Promise<LedgerReplay[]> {
  return manager.query<LedgerReplay[]>(
    `SELECT ${COLUMNS} FROM audit.replays WHERE ${where.sql} ORDER BY started_at DESC, id DESC LIMIT ${limit}`,
    where.parameters,
  );
}

/**
 * What is left to send is cleared away by the runner. A batch that is being sent is counted all the same.
 * @returns `undefined` when it had ended before
 */
export async function endReplay(
  manager: EntityManager,
  id: string,
  state: 'completed' | 'cancelled' | 'failed',
  error: string | null = null,
): Promise<LedgerReplay | undefined> {
  // An UPDATE answers with its rows and their number.
  const [rows] = await manager.query<[LedgerReplay[], number]>(
    `UPDATE audit.replays SET state = $2, error = $3, finished_at = ${NOW}, waiting = NULL,
            next_at = clock_timestamp(), settled = ($2 = 'completed')
      WHERE id = $1 AND state = 'running' RETURNING ${COLUMNS}`,
    [id, state, error],
  );
  return rows[0];
}

/** Nothing is done for it before `pauseMs` are over. */
export async function putOff(
  manager: EntityManager,
  id: string,
  waiting: string,
  pauseMs: number,
): Promise<void> {
  await manager.query(
    `UPDATE audit.replays SET waiting = $2, next_at = clock_timestamp() + make_interval(secs => $3)
      WHERE id = $1 AND state = 'running'`,
    [id, waiting, pauseMs / 1_000],
  );
}

/** The events of a replay, where they stand in the log. Known ones are left as they are. @returns how many are new */
export async function addItems(
  manager: EntityManager,
  replayId: string,
  items: readonly ReplayItem[],
): Promise<number> {
  if (items.length === 0) return 0;
  const rows = await manager.query<unknown[]>(
    `INSERT INTO audit.replay_items (replay_id, log_position, event_id, event_source)
     SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[])
     ON CONFLICT DO NOTHING RETURNING 1`,
    [replayId, ...columnsOf(items)],
  );
  return rows.length;
}

/** As array parameters: places, ids, sources. */
export function columnsOf(items: readonly ReplayItem[]): [string[], string[], string[]] {
  return [
    items.map(({ logPosition }) => logPosition),
    items.map(({ eventId }) => eventId),
    items.map(({ eventSource }) => eventSource),
  ];
}

export interface ReplayItem {
  /** Of an event's acceptance: partition and offset in one number. */
  logPosition: string;
  eventId: string;
  eventSource: string;
}
