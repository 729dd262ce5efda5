import type { LadderStep } from '@quittance/contracts';

/** Any 2xx is a success. A redirect is a failure like all the rest: it is never followed. */
export function classifyResponse(status: number): 'success' | 'retry' {
  return status >= 200 && status <= 299 ? 'success' : 'retry';
}

/** Whether `Retry-After` counts with this status. With others it means something else, or nothing. */
export function honoursRetryAfter(status: number): boolean {
  return status === 429 || status === 503;
}

/**
 * Reads a `Retry-After` header: whole seconds, or an HTTP date.
 * @param now epoch milliseconds
 * @returns milliseconds from now, 0 for a date that has passed; `undefined` when it cannot be read
 */
export function parseRetryAfter(
  value: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  const text = (typeof value === 'string' ? value : value?.[0])?.trim();
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  // `Date.parse` alone would read years into nearly anything ("5 minutes" among it).
  if (!/^[A-Z][a-z]{2,8}, .{10,30} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/**
 * How long to wait after a failed attempt.
 * @param schedule the subscription's ladder steps in order: as many retries as steps
 * @param ladder every step for which a retry topic exists, rising
 * @param attempt the number of the attempt that has just failed, from 1
 * @param retryAfterMs what the subscriber asked for: lengthens the wait to the first step of the ladder that lasts
 *   as long, or to the longest. The retry counts all the same.
 * @returns `undefined` when no retry is left
 */
export function nextStep(
  schedule: readonly LadderStep[],
  ladder: readonly LadderStep[],
  attempt: number,
  retryAfterMs?: number,
): LadderStep | undefined {
  const scheduled = schedule[attempt - 1];
  if (!scheduled || retryAfterMs === undefined || retryAfterMs <= scheduled.delayMs) return scheduled;
  const asked = ladder.find((step) => step.delayMs >= retryAfterMs) ?? ladder.at(-1);
  return asked && asked.delayMs > scheduled.delayMs ? asked : scheduled;
}
