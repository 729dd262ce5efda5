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
