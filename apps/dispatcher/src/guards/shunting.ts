import type { CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord } from '@quittance/contracts';
import type { Shunt } from './admission.js';
import type { Learnt } from './learnt.js';
import { pausedSince } from './suspension.js';
import { Throughput } from './throughput.js';
import type { WaitingLine } from './waiting-line.js';

/** Longer than this nobody waits at the head of a shared partition, ms: a window of others' records waits with it. */
const LONGEST_SHARED_WAIT_MS = 5000;

/** Which records of a subscription are put off where others must not wait for them, and until when. */
export class Shunting {
  private readonly throughput = new Throughput();

  measured(durationMs: number): void {
    this.throughput.measured(durationMs);
  }

  /** Nothing waits and nothing is under way. */
  idle(): void {
    this.throughput.idle();
  }

  /**
   * Nothing can be sent.
   * @param blockMs until then at least; infinite: nobody knows
   */
  blocked({ resource }: CompiledSubscription, { breaker }: Learnt, blockMs: number, now: number): Shunt {
    const since = pausedSince(resource) ?? breaker.opened?.since ?? now;
    const waitMs = Number.isFinite(blockMs) ? blockMs : 0;
    return { kind: 'shunt', waitMs, blockedMs: Math.max(0, now - since) };
  }

  /**
   * It is only too much.
   * @param ahead how many wait already
   * @returns nothing when it may wait with them
   */
  crowded(
    subscription: CompiledSubscription,
    ahead: number,
    delivery: DeliveryRecord,
    now: number,
  ): Shunt | undefined {
    const intervalMs = this.interval(subscription);
    const expectedMs = (ahead + 1) * intervalMs;
    return expectedMs > LONGEST_SHARED_WAIT_MS ? this.book(delivery, expectedMs, intervalMs, now) : undefined;
  }

  /** It takes less now than when they came: the last of them would stand at the head of the others' for too long. */
  shorten(line: WaitingLine, subscription: CompiledSubscription, now: number): void {
    const intervalMs = this.interval(subscription);
    if (line.size * intervalMs <= 2 * LONGEST_SHARED_WAIT_MS) return;
    for (let waitMs = line.size * intervalMs; waitMs > LONGEST_SHARED_WAIT_MS; waitMs -= intervalMs) {
      line.admitLast(this.book(line.last, waitMs, intervalMs, now));
    }
  }

  private book({ shunts }: DeliveryRecord, expectedMs: number, intervalMs: number, now: number): Shunt {
    const waitMs = this.throughput.book(intervalMs, (shunts ?? 0) > 0, now);
    return { kind: 'shunt', waitMs: Math.max(waitMs, expectedMs) };
  }

  private interval({ resource }: CompiledSubscription): number {
    const { concurrency, rateLimit } = resource.spec.delivery;
    return this.throughput.interval(concurrency, rateLimit?.rate);
  }
}
