import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Problem, type ApiKeyResource, type RateLimit, type SourceResource } from '@quittance/contracts';
import { Metrics } from '@quittance/service';
import type { FastifyReply } from 'fastify';
import { Buckets } from './buckets.js';
import { MONOTONIC_CLOCK } from './monotonic-clock.js';
import {
  rateLimitPolicy,
  rateLimitState,
  secondsUntilNext,
  tightestOf,
  type LimitName,
  type NamedBucket,
} from './rate-limit-headers.js';

/** Whose limits hold beside the namespace's. */
export interface LimitedSender {
  source?: SourceResource | undefined;
  apiKey?: ApiKeyResource | undefined;
}

/** Token buckets in this instance: with n instances up to n times as much is let through. */
@Injectable()
export class RateLimiter {
  private readonly buckets = new Buckets();
  private readonly limited;

  constructor(
    private readonly catalogue: Catalogue,
    metrics: Metrics,
    @Inject(MONOTONIC_CLOCK) private readonly now: () => number,
  ) {
    this.limited = metrics.counter(
      'quittance_rate_limited_total',
      'Requests that were refused with 429, by the limit that refused them.',
      ['limit'],
    );
  }

  /**
   * Charges what an authenticated sender publishes to all limits that hold for it, or to none. Sets `RateLimit-Policy` and
   * `RateLimit` on the answer if there are any.
   * @throws Problem `rate_limited`
   */
  charge(namespaceName: string, sender: LimitedSender, events: number, reply: FastifyReply): void {
    const now = this.now();
    const [first, ...others] = this.bucketsOf(namespaceName, sender, now);
    if (first === undefined) return;
    const buckets: readonly [NamedBucket, ...NamedBucket[]] = [first, ...others];
    const isAllowed = buckets.every(({ bucket }) => bucket.allows(now));
    if (isAllowed) {
      for (const { bucket } of buckets) bucket.take(Math.max(1, events), now);
    }
    const tightest = tightestOf(buckets, now);
    void reply
      .header('ratelimit-policy', rateLimitPolicy(buckets))
      .header('ratelimit', rateLimitState(tightest, now));
    if (!isAllowed) this.refuse(tightest, now);
  }

  private bucketsOf(namespaceName: string, sender: LimitedSender, now: number): NamedBucket[] {
    const buckets: NamedBucket[] = [];
    const add = (name: LimitName, id: string, limit: RateLimit | undefined): void => {
      if (limit) buckets.push({ name, bucket: this.buckets.of(`${name}/${id}`, limit, now) });
    };
    add('namespace', namespaceName, this.catalogue.namespace(namespaceName).limits.rateLimit);
    const { source, apiKey } = sender;
    if (source) add('source', source.metadata.uid, source.spec.rateLimit);
    if (apiKey) add('api-key', apiKey.metadata.uid, apiKey.spec.rateLimit);
    return buckets;
  }

  private refuse({ name, bucket }: NamedBucket, now: number): never {
    this.limited.inc({ limit: name });
    const seconds = secondsUntilNext(bucket, now);
    throw new Problem(
      'rate_limited',
      `The limit of the ${SPOKEN[name]}, ${bucket.perSecond} events per second, is used up. ` +
        `Repeat the request in ${seconds} s.`,
      {},
      { 'retry-after': String(seconds) },
    );
  }
}

const SPOKEN: Record<LimitName, string> = { namespace: 'namespace', source: 'source', 'api-key': 'API key' };
