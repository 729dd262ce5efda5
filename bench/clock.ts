/**
 * Milliseconds of the machine's monotonic clock, the same in every process: `performance.now()` counts from each
 * process's own start, so what lies between is added once.
 */
const OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function monotonicMs(): number {
  return performance.now() + OFFSET;
}
