const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/**
 * Reads a duration such as `500ms`, `15s`, `5m`, `2h` or `3d`.
 * @returns milliseconds
 * @throws RangeError when the text is not a duration
 */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text);
  if (!match)
    throw new RangeError(`"${text}" is not a duration: write a number and ms, s, m, h or d, as in "15s".`);
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
}

/** Days only from here on: 45 hours are told as such. */
const DAYS_FROM_MS = 3 * UNITS_MS.d;

/**
 * Writes a duration for a person: `250ms`, `15s`, `1h 30m`, `44h 35m 35s`, `5d`. Below a second it is rounded to
 * milliseconds, else to seconds.
 * @param parts how many units it may have, from the greatest on; what is smaller is cut off. Left out: all
 */
export function formatDuration(ms: number, parts = 4): string {
  const wholeMs = Math.round(ms);
  if (wholeMs < UNITS_MS.s) return wholeMs === 0 ? '0s' : `${wholeMs}ms`;
  let rest = Math.round(ms / UNITS_MS.s) * UNITS_MS.s;
  const units = rest >= DAYS_FROM_MS ? (['d', 'h', 'm', 's'] as const) : (['h', 'm', 's'] as const);
  const told: string[] = [];
  for (const unit of units) {
    const count = Math.floor(rest / UNITS_MS[unit]);
    rest -= count * UNITS_MS[unit];
    if (count > 0) told.push(`${count}${unit}`);
  }
  return told.slice(0, parts).join(' ');
}
