import type { LadderStep } from '@quittance/contracts';
import type { WebhookErrorCode } from './webhook-error.js';

/** Whoever asks for longer is asked again after this. Without a bound, one header could put a delivery off for ever. */
const MAX_RETRY_AFTER_MS = 7 * 86_400_000;

/**
 * Any 2xx is a success, and 410 says that the receiver wants nothing more. A redirect is a failure like all the rest:
 * it is never followed.
 */
export function classifyResponse(status: number): 'success' | 'gone' | 'retry' {
  if (status >= 200 && status <= 299) return 'success';
  return status === 410 ? 'gone' : 'retry';
}

/**
 * Whether a failure says that the subscriber is down or overwhelmed, and so counts for its circuit breaker. Any other
 * answer shows that it is there. An address that must not be connected to says nothing about who is behind it, and a
 * request that cannot be made nothing about anybody.
 * @param failure the answer's status, or why there is none
 */
export function isOutage(failure: number | WebhookErrorCode): boolean {
  if (typeof failure === 'number') return failure >= 500 || failure === 429 || failure === 408;
  return failure !== 'address_blocked' && failure !== 'request_invalid' && failure !== 'aborted';
}

/** Whether `Retry-After` counts with this status. With others it means something else, or nothing. */
export function honoursRetryAfter(status: number): boolean {
  return status === 429 || status === 503;
}

/**
 * Reads a `Retry-After` header: whole seconds, or an HTTP date.
 * @param now epoch milliseconds
 * @returns milliseconds from now, 0 for a date that has passed, at most 7 days; `undefined` when it cannot be read
 */
export function parseRetryAfter(
  value: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  const text = (typeof value === 'string' ? value : value?.[0])?.trim();
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  // `Date.parse` alone would read years into nearly anything ("5 minutes" among it).
  if (!/^[A-Z][a-z]{2,8}, .{10,30} GMT$/.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(0, at - now), MAX_RETRY_AFTER_MS);
}

/**
 * The first step that lasts as long, or the longest.
 * @param ladder every step for which a retry topic exists, rising
 * @throws RangeError when the ladder is empty
 */
export function stepFor(ladder: readonly LadderStep[], ms: number): LadderStep {
  const step = ladder.find(({ delayMs }) => delayMs >= ms) ?? ladder.at(-1);
  if (!step) throw new RangeError('The retry ladder has no steps.');
  return step;
}

/** When the next attempt is made. */
export interface NextAttempt {
  step: LadderStep;
  /** Asked for was longer than the longest step lasts: how long to wait in all, milliseconds from now. */
  notBeforeMs?: number;
}

/**
 * How long to wait after a failed attempt.
 * @param schedule the subscription's ladder steps in order: as many retries as steps
 * @param ladder every step for which a retry topic exists, rising
 * @param attempt the number of the attempt that has just failed, from 1
 * @param retryAfterMs what the subscriber asked for: lengthens the wait to the first step of the ladder that lasts
 *   as long; beyond the longest, to `notBeforeMs`, for which the longest step is waited through more than once. The
 *   retry counts once all the same.
 * @returns `undefined` when no retry is left
 */
export function nextStep(
  schedule: readonly LadderStep[],
  ladder: readonly LadderStep[],
  attempt: number,
  retryAfterMs = 0,
): NextAttempt | undefined {
  const scheduled = schedule[attempt - 1];
  if (!scheduled) return undefined;
  if (retryAfterMs <= scheduled.delayMs) return { step: scheduled };
  const step = stepFor(ladder, retryAfterMs);
  if (step.delayMs >= retryAfterMs) return { step };
  return { step: step.delayMs > scheduled.delayMs ? step : scheduled, notBeforeMs: retryAfterMs };
}
