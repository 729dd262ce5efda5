import { hash } from 'node:crypto';
import type { EventIdentity } from '@quittance/contracts';

/** Where a record stands. */
export interface Place {
  partition: number;
  offset: bigint;
}

/** What the window says of a record. */
export type Sighting =
  /** Its identity was not seen. The caller routes it and must then settle the claim. */
  | { kind: 'new'; settle: (written: boolean) => void }
  /** This very record was routed before, under an earlier assignment of its partition. */
  | { kind: 'repeated' }
  /** Another record of the same identity was routed before; `conflict`: with another body. */
  | { kind: 'duplicate'; conflict: boolean }
  /** A record of the same identity is being routed: look again afterwards. */
  | { kind: 'pending'; settled: Promise<void> };

interface Seen {
  partition: number;
  offset: number;
  body: number;
}

/** About 40 MB, and 100 s of events at 2,000/s. */
export const MAX_IDENTITIES = 200_000;
const SEPARATOR = '\n';

/**
 * The identities that this process routed last. Best effort: it begins empty, and the oldest are forgotten. An identity
 * comes in only when its fan-out is acknowledged, so that a failure leaves nothing behind that would swallow the retry.
 */
export class IdentityWindow {
  /** Oldest first. */
  private readonly seen = new Map<string, Seen>();
  private readonly claims = new Map<string, Promise<void>>();

  constructor(private readonly capacity = MAX_IDENTITIES) {}

  get size(): number {
    return this.seen.size;
  }

  look(identity: EventIdentity, body: Buffer | null, place: Place): Sighting {
    const key = keyOf(identity);
    const known = this.seen.get(key);
    if (known !== undefined) {
      if (known.partition === place.partition && known.offset === Number(place.offset)) {
        return { kind: 'repeated' };
      }
      return { kind: 'duplicate', conflict: known.body !== digestOf(body) };
    }
    const claimed = this.claims.get(key);
    if (claimed !== undefined) return { kind: 'pending', settled: claimed };
    return { kind: 'new', settle: this.claim(key, body, place) };
  }

  private claim(key: string, body: Buffer | null, place: Place): (written: boolean) => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.claims.set(key, promise);
    return (written) => {
      this.claims.delete(key);
      if (written) this.remember(key, body, place);
      resolve();
    };
  }

  private remember(key: string, body: Buffer | null, place: Place): void {
    if (this.seen.size >= this.capacity) this.seen.delete(this.seen.keys().next().value!);
    this.seen.set(key, {
      partition: place.partition,
      offset: Number(place.offset),
      body: digestOf(body),
    });
  }
}

/** 128 bits in place of up to a kilobyte of names. */
function keyOf({ namespace, source, id }: EventIdentity): string {
  return hash('sha256', namespace + SEPARATOR + source + SEPARATOR + id, 'base64url').slice(0, 22);
}

/** 48 bits: enough to tell a mistake from a repetition, and they fit a number. */
function digestOf(body: Buffer | null): number {
  return body === null ? -1 : hash('sha256', body, 'buffer').readUIntBE(0, 6);
}
