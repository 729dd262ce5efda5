import { Catch, type INestApplication, type RpcExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import type { KafkaStrategy } from './strategy.js';

/**
 * Nest replaces whatever a handler throws by `{status, message}`, for clients in other processes. Here the
 * thrower and the judge are one process, and the error's type decides between another try and a dead letter.
 */
@Catch()
class KeepErrorFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** Makes the strategy a transport of the app. Errors of handlers reach it as they were thrown. */
export function connectStrategy(app: INestApplication, strategy: KafkaStrategy): void {
  // Deferred, because filters count only for handlers that are registered after them.
  app
    .connectMicroservice({ strategy }, { deferInitialization: true })
    .useGlobalFilters(new KeepErrorFilter());
}
