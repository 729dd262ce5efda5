import type { EntityManager } from 'typeorm';

/** What is pruned, as it is counted. */
export const PRUNED_KINDS = [
  'event',
  'delivery',
  'attempt',
  'duplicate',
  'retry_request',
  'rejection',
  'key_usage',
  'replay',
] as const;
export type PrunedKind = (typeof PRUNED_KINDS)[number];
export type Pruned = Partial<Record<PrunedKind, number>>;

/** Up to which times a namespace's rows may go. */
export interface Cutoffs {
  events: Date;
  rejections: Date;
  /** Of what was last heard of before this nothing more can be heard. */
  quiet: Date;
  /** What is held stays, unless nothing was heard of it since then. */
  held: Date;
}

/** Where a batch ended: the values of its last row's key. */
export type Position = readonly (string | Date)[];

export interface Batch {
  pruned: Pruned;
  /** Missing when there are no more rows. */
  next?: Position;
}

/** One way through one table, oldest first. */
export interface PruningStep {
  /** Those that have any rows. */
  namespaces(manager: EntityManager): Promise<string[]>;
  /**
   * Runs in a transaction of its own. It locks nothing that it would have to wait for.
   * @param after where the batch before ended
   */
  batch(
    manager: EntityManager,
    namespace: string,
    cutoffs: Cutoffs,
    after: Position | undefined,
  ): Promise<Batch>;
}

/** A batch that ends where its page does: pages that are not full are the last ones. */
export function batchOf<Row>(
  page: readonly Row[],
  size: number,
  positionOf: (row: Row) => Position,
  pruned: Pruned | undefined,
): Batch {
  const last = page.length < size ? undefined : page.at(-1);
  return { pruned: pruned ?? {}, ...(last !== undefined && { next: positionOf(last) }) };
}

/**
 * The namespaces of a table whose index begins with them: from one to the next, instead of through all rows.
 * @param where the condition of a partial index
 */
export async function namespacesIn(manager: EntityManager, table: string, where = 'true'): Promise<string[]> {
  const rows = await manager.query<{ namespace: string }[]>(
    `WITH RECURSIVE found (namespace) AS (
       (SELECT namespace FROM audit.${table} WHERE ${where} ORDER BY namespace LIMIT 1)
       UNION ALL
       SELECT (SELECT namespace FROM audit.${table}
                WHERE ${where} AND namespace > found.namespace ORDER BY namespace LIMIT 1)
         FROM found WHERE found.namespace IS NOT NULL
     )
     SELECT namespace FROM found WHERE namespace IS NOT NULL`,
  );
  return rows.map((row) => row.namespace);
}
