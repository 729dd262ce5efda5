import { namespacesIn, type PruningStep } from './step.js';

/** Of each namespace, whatever the retention says: an attack must not fill the disk. */
export const MAX_REJECTIONS_KEPT = 10_000;
const ROWS_AT_ONCE = 1_000;

/** Rejections that are too old, or too many. */
export const oldRejections: PruningStep = {
  namespaces: (manager) => namespacesIn(manager, 'rejections'),
  async batch(manager, namespace, cutoffs) {
    const [excess] = await manager.query<{ id: string; at: Date }[]>(
      `SELECT id, at FROM audit.rejections WHERE namespace = $1
        ORDER BY at DESC, id DESC OFFSET ${MAX_REJECTIONS_KEPT} LIMIT 1`,
      [namespace],
    );
    // Up to and with this place; no id is empty.
    const last = excess && excess.at >= cutoffs.rejections ? excess : { at: cutoffs.rejections, id: '' };
    const [pruned] = await manager.query<{ rejection: number }[]>(
      `WITH gone AS (
         DELETE FROM audit.rejections WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM audit.rejections WHERE namespace = $1 AND (at, id) <= ($2::timestamptz, $3::text)
            ORDER BY at, id LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED))
         RETURNING 1
       )
       SELECT count(*)::int AS rejection FROM gone`,
      [namespace, last.at, last.id],
    );
    return { pruned: pruned ?? {}, ...(pruned?.rejection === ROWS_AT_ONCE && { next: [] }) };
  },
};
