import { performance } from 'node:perf_hooks';
import { Injectable } from '@nestjs/common';
import type { SubscriptionResource } from '@quittance/contracts';

/** How long attempts start with the fallback that answered, before the first URL is tried again. */
const REMEMBERED_MS = 30_000;

interface Remembered {
  index: number;
  until: number;
}

/**
 * Remembers which URL of a subscription answered while its first one was down, so that not every attempt waits for
 * one that is known to be down. A changed resource begins anew: its URLs may be others.
 */
@Injectable()
export class UrlChoice {
  private readonly remembered = new WeakMap<SubscriptionResource, Remembered>();

  /**
   * Where the next attempt starts: 0 for the first URL, from 1 for the fallback URLs.
   * @param now monotonic, milliseconds
   */
  start(subscription: SubscriptionResource, now = performance.now()): number {
    const remembered = this.remembered.get(subscription);
    if (!remembered) return 0;
    if (now < remembered.until) return remembered.index;
    // Only this attempt finds out whether the first URL is back: the others must not all wait for it.
    remembered.until = now + REMEMBERED_MS;
    return 0;
  }

  /**
   * Takes down which URL answered in the end. Only what started with the first URL counts: under constant load it
   * would otherwise never be tried again.
   * @param started where the attempt started
   * @param now monotonic, milliseconds
   */
  answered(
    subscription: SubscriptionResource,
    started: number,
    index: number,
    now = performance.now(),
  ): void {
    if (index === started && index !== 0) return;
    if (index === 0) this.remembered.delete(subscription);
    else this.remembered.set(subscription, { index, until: now + REMEMBERED_MS });
  }
}
