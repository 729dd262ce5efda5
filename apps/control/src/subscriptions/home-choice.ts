/** Who has a home on one partition of `deliveries.v1`. */
export interface PartitionUse {
  partition: number;
  /** Subscriptions that have their home there, or had it until a move that is not over yet. */
  homes: number;
  /** One of them is of strict order, and shares with nobody. */
  isStrict: boolean;
  /** One of them is moving away. */
  isBeingLeft: boolean;
}

/** The first partition that nobody uses. @param uses in order of partition */
export function freeHome(uses: readonly PartitionUse[]): number | undefined {
  return uses.find(({ homes }) => homes === 0)?.partition;
}

/**
 * A partition of its own while there are any; then the least used one that may be shared. What somebody moves away from
 * may not: its backlog has to come to an end.
 * @param uses in order of partition
 * @returns `undefined` when there is none
 */
export function bestHome(uses: readonly PartitionUse[], isStrict: boolean): number | undefined {
  const free = freeHome(uses);
  if (free !== undefined || isStrict) return free;
  const shareable = uses.filter((use) => !use.isStrict && !use.isBeingLeft);
  return shareable.toSorted((a, b) => a.homes - b.homes)[0]?.partition;
}
