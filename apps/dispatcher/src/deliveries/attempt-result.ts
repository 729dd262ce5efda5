import {
  classifyResponse,
  InvalidSigningSecretError,
  isOutage,
  SecretBoxError,
  WebhookError,
  type WebhookResponse,
} from '@quittance/webhooks';
import { uuidv7 } from 'uuidv7';

/** What came of one attempt. */
export interface AttemptResult {
  attemptId: string;
  /** `gone`: the subscriber answered 410, it wants nothing more. */
  verdict: 'success' | 'gone' | 'failed';
  /** Whether it counts for the circuit breaker: the subscriber is down or overwhelmed. */
  isOutage: boolean;
  /** The answer's, `null` when there was none. */
  status: number | null;
  /** Of all its requests together. */
  durationMs: number;
  /** `null` with the verdict `success` only. */
  error: { code: string; message: string } | null;
  /** Which of the fallback URLs was asked last, from 1; left out when the first URL was. */
  fallback?: number;
  /** The start of the answer. */
  response?: string;
  /** What the subscriber asked for with a 429 or 503: the longest, if several of its URLs did. */
  retryAfterMs?: number;
}

const KEPT_OF_FAILURE_BYTES = 8 * 1024;
const KEPT_OF_SUCCESS_BYTES = 256;

/** No answer can be had there now; somewhere else perhaps. An address that must not be reached is not down. */
const DOWN_CODES = new Set([
  'timeout',
  'dns_failed',
  'connection_refused',
  'connection_reset',
  'host_unreachable',
  'tls_failed',
  'response_invalid',
]);
const DOWN_STATUSES = new Set([502, 503, 504]);

/** Whether the next URL is tried. */
export function isDown({ status, error }: AttemptResult): boolean {
  return status === null ? DOWN_CODES.has(error?.code ?? '') : DOWN_STATUSES.has(status);
}

export function resultOf({ status, body, durationMs, retryAfterMs }: WebhookResponse): AttemptResult {
  const answer = classifyResponse(status);
  const isSuccess = answer === 'success';
  const kept = body.subarray(0, isSuccess ? KEPT_OF_SUCCESS_BYTES : KEPT_OF_FAILURE_BYTES);
  return {
    attemptId: uuidv7(),
    verdict: answer === 'retry' ? 'failed' : answer,
    isOutage: isOutage(status),
    status,
    durationMs,
    error: isSuccess ? null : errorOf(status),
    ...(kept.length > 0 ? { response: kept.toString('utf8') } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function errorOf(status: number): { code: string; message: string } {
  if (status === 410) return { code: 'gone', message: 'The subscriber answered 410: it wants nothing more.' };
  return { code: 'http_status', message: `The subscriber answered ${status}.` };
}

/** @throws what is no result: a request that was aborted, and whatever is our own fault */
export function resultOfError(error: unknown): AttemptResult {
  if (error instanceof WebhookError) {
    if (error.code === 'aborted') throw error;
    return failed(error.code, error.message, error.durationMs, isOutage(error.code));
  }
  if (error instanceof SecretBoxError) {
    const message = `The signing secret cannot be opened (${error.code}): check QUITTANCE_MASTER_KEY of the dispatcher.`;
    return failed('secret_unreadable', message, 0, false);
  }
  if (error instanceof InvalidSigningSecretError) {
    const message = `The signing secret cannot be used: ${error.message} Rotate it.`;
    return failed('secret_invalid', message, 0, false);
  }
  throw error;
}

function failed(code: string, message: string, durationMs: number, outage: boolean): AttemptResult {
  return {
    attemptId: uuidv7(),
    verdict: 'failed',
    isOutage: outage,
    status: null,
    durationMs,
    error: { code, message },
  };
}
