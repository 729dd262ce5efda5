import { Global, Module } from '@nestjs/common';
import { MONOTONIC_CLOCK } from './monotonic-clock.js';
import { RateLimiter } from './rate-limiter.js';

/** One `RateLimiter` for all that is published. Needs the global catalogue and metrics. */
@Global()
@Module({
  providers: [RateLimiter, { provide: MONOTONIC_CLOCK, useValue: () => performance.now() }],
  exports: [RateLimiter, MONOTONIC_CLOCK],
})
export class LimitsModule {}
