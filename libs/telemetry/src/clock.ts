const REANCHOR_MS = 10_000;

let anchor = Date.now() - performance.now();
let anchoredAt = performance.now();

/** Epoch milliseconds with microseconds behind the point. `performance.timeOrigin` alone would not follow the system clock. */
export function epochNow(): number {
  const now = performance.now();
  if (now - anchoredAt > REANCHOR_MS) {
    anchor = Date.now() - now;
    anchoredAt = now;
  }
  return anchor + now;
}
