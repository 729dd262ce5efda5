import type { RateLimit } from '@quittance/contracts';
import { Buckets } from '../limits/buckets.js';
import { TokenBucket } from '../limits/token-bucket.js';

const OF_A_NAMESPACE: RateLimit = { rate: 1, burst: 100 };
const OF_ALL: RateLimit = { rate: 5, burst: 500 };
const BODY_BYTES: RateLimit = { rate: 32 * 1024, burst: 8 * 1024 * 1024 };
const MAX_NAMESPACES = 10_000;

/** How many rejections one instance records, so that nobody can fill the disk with them. What is over is counted. */
export class RejectionBudget {
  private readonly ofNamespace = new Buckets(MAX_NAMESPACES);
  private readonly ofAll: TokenBucket;
  private readonly bodies: TokenBucket;
  private readonly left = new Map<string, number>();

  constructor(private readonly now: () => number) {
    this.ofAll = new TokenBucket(OF_ALL, now());
    this.bodies = new TokenBucket(BODY_BYTES, now());
  }

  /** @returns false when there are too many: it is counted with `suppress` then */
  allows(namespace: string): boolean {
    const now = this.now();
    const bucket = this.ofNamespace.of(namespace, OF_A_NAMESPACE, now);
    if (!bucket.allows(now) || !this.ofAll.allows(now)) return false;
    bucket.take(1, now);
    this.ofAll.take(1, now);
    return true;
  }

  /** @returns false when too many bytes were kept lately: the rejection is recorded without its body */
  allowsBody(bytes: number): boolean {
    const now = this.now();
    if (!this.bodies.allows(now)) return false;
    this.bodies.take(bytes, now);
    return true;
  }

  /** Counts what is not recorded, for the next one of the namespace that is. */
  suppress(namespace: string, count = 1): void {
    const known = this.left.get(namespace);
    if (known === undefined && this.left.size >= MAX_NAMESPACES) {
      const [oldest] = this.left.keys();
      if (oldest !== undefined) this.left.delete(oldest);
    }
    this.left.set(namespace, (known ?? 0) + count);
  }

  /** How many were left out since the last call. */
  takeSuppressed(namespace: string): number {
    const count = this.left.get(namespace) ?? 0;
    this.left.delete(namespace);
    return count;
  }
}
