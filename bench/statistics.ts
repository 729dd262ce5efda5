/** Of a sample of durations, in milliseconds. */
export interface Distribution {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Nearest rank: the smallest value that at least `share` of the sample does not exceed. @param sorted ascending */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** All are NaN when there is nothing. */
export function distributionOf(values: Iterable<number>): Distribution {
  const sorted = Float64Array.from(values).sort();
  return {
    count: sorted.length,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    max: percentile(sorted, 1),
  };
}

/** The middle value; of an even number the mean of the two middle ones. NaN when there is none, or any is NaN. */
export function median(values: readonly number[]): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median of every number in results of one shape, member by member; of anything else the first one. */
export function medianOf<T>(results: readonly T[]): T {
  return middleOf(results) as T;
}

function middleOf(values: readonly unknown[]): unknown {
  const [first] = values;
  if (typeof first === 'number') return median(values.filter((value) => typeof value === 'number'));
  if (typeof first !== 'object' || first === null || Array.isArray(first)) return first;
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(first)) {
    members[name] = middleOf(values.map((value) => (value as Record<string, unknown>)[name]));
  }
  return members;
}
