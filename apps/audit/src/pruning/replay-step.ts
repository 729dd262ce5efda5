import { namespacesIn, type PruningStep } from './step.js';

const ROWS_AT_ONCE = 1_000;

/** Replays that ended as long ago as events are kept. */
export const oldReplays: PruningStep = {
  namespaces: (manager) => namespacesIn(manager, 'replays'),
  async batch(manager, namespace, cutoffs) {
    const [pruned] = await manager.query<{ replay: number }[]>(
      `WITH gone AS (
         DELETE FROM audit.replays WHERE id IN (
           SELECT id FROM audit.replays WHERE namespace = $1 AND settled AND finished_at < $2
            LIMIT ${ROWS_AT_ONCE} FOR UPDATE SKIP LOCKED)
         RETURNING 1
       )
       SELECT count(*)::int AS replay FROM gone`,
      [namespace, cutoffs.events],
    );
    return { pruned: pruned ?? {}, ...(pruned?.replay === ROWS_AT_ONCE && { next: [] }) };
  },
};
