import { Problem } from '@quittance/contracts';

const RETRY_AFTER_SECONDS = '5';

/** Nothing is wrong with the request: the same one may be accepted a little later. */
export function unavailable(code: 'kafka_unavailable' | 'not_ready', detail: string): Problem {
  return new Problem(code, detail, {}, { 'retry-after': RETRY_AFTER_SECONDS });
}
