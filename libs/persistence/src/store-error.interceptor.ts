import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { catchError, type Observable } from 'rxjs';
import { StoreError, storeErrorOf } from './store-error.js';

/** Told of every request that failed for want of the database; `error` says why. */
export const STORE_FAILURE_LOG = Symbol('STORE_FAILURE_LOG');
export type StoreFailureLog = (error: StoreError) => void;

const RETRY_AFTER_SECONDS = '2';
/** character_not_in_repertoire: text that Postgres cannot hold. What is well-formed otherwise has a U+0000 in it. */
const UNSTORABLE_TEXT = '22021';

/**
 * Answers requests that the database could not serve with 503 `store_unavailable`, so that clients repeat them; and those
 * with text in their address that no database could hold with 400.
 */
@Injectable()
export class StoreErrorInterceptor implements NestInterceptor {
  constructor(@Inject(STORE_FAILURE_LOG) private readonly log: StoreFailureLog) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        const known = storeErrorOf(error);
        if (known?.sqlState === UNSTORABLE_TEXT) {
          throw new Problem('malformed_request', 'Nothing in the address may contain U+0000 ("%00").');
        }
        if (!known?.retryable) throw error;
        this.log(known);
        throw new Problem('store_unavailable', known.message, {}, { 'retry-after': RETRY_AFTER_SECONDS });
      }),
    );
  }
}
