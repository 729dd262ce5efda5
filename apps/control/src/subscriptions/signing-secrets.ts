import { Inject, Injectable } from '@nestjs/common';
import type { FormerSecret, SubscriptionSecrets, SubscriptionSpec } from '@quittance/contracts';
import { generateAsymmetricSecret, generateSigningSecret, publicKeyOf, SecretBox } from '@quittance/webhooks';
import type { PublicKey } from './secret-bodies.js';

/** With more rotations than this within one overlap, the oldest key stops early. */
const MAX_FORMER = 5;

/** What a subscription's secrets are sealed for: they open for the same subscription only. */
function sealingContext(uid: string): string {
  return `Subscription/${uid}`;
}

/** Makes, seals and opens what subscriptions sign with. */
@Injectable()
export class SigningSecrets {
  constructor(@Inject(SecretBox) private readonly box: SecretBox) {}

  create(uid: string, signing: SubscriptionSpec['signing']): SubscriptionSecrets {
    const symmetric = { signing: [this.symmetric(uid)], former: [], formerAsymmetric: [] };
    return this.completed(uid, signing, symmetric).secrets;
  }

  /** The key pair is made when it is first asked for, and kept when it is asked for no more. */
  completed(
    uid: string,
    { asymmetric }: SubscriptionSpec['signing'],
    secrets: SubscriptionSecrets,
  ): { secrets: SubscriptionSecrets; changed: readonly string[] } {
    if (!asymmetric || secrets.asymmetric !== undefined) return { secrets, changed: [] };
    return { secrets: { ...secrets, asymmetric: this.asymmetric(uid) }, changed: ['asymmetric'] };
  }

  /**
   * New keys in the place of those there are.
   * @param overlapMs how long the keys before go on signing beside them
   */
  rotated(
    uid: string,
    { signing, former, asymmetric, formerAsymmetric }: SubscriptionSecrets,
    overlapMs: number,
    nowMs: number,
  ): SubscriptionSecrets {
    return {
      signing: [this.symmetric(uid)],
      former: retired(signing, former, overlapMs, nowMs),
      ...(asymmetric !== undefined && { asymmetric: this.asymmetric(uid) }),
      formerAsymmetric: retired(
        asymmetric === undefined ? [] : [asymmetric],
        formerAsymmetric,
        overlapMs,
        nowMs,
      ),
    };
  }

  /**
   * The newest signing secret, `whsec_…`.
   * @throws SecretBoxError when it was sealed under another master key
   */
  reveal(uid: string, secrets: SubscriptionSecrets): string {
    return this.box.open(secrets.signing[0]!, sealingContext(uid));
  }

  /**
   * What the newest `v1a` signatures are verified with; `undefined` where no key pair was ever made.
   * @throws SecretBoxError when it was sealed under another master key
   */
  newestPublicKey(uid: string, { asymmetric }: SubscriptionSecrets): string | undefined {
    return asymmetric === undefined ? undefined : this.publicKey(uid, asymmetric);
  }

  /**
   * What `v1a` signatures are verified with, newest first; none where no key pair was ever made.
   * @throws SecretBoxError when one was sealed under another master key
   */
  publicKeys(uid: string, { asymmetric, formerAsymmetric }: SubscriptionSecrets, nowMs: number): PublicKey[] {
    if (asymmetric === undefined) return [];
    return [
      { publicKey: this.publicKey(uid, asymmetric) },
      ...stillValid(formerAsymmetric, nowMs).map(({ sealed, validUntil }) => ({
        publicKey: this.publicKey(uid, sealed),
        validUntil,
      })),
    ];
  }

  private symmetric(uid: string): string {
    return this.box.seal(generateSigningSecret(), sealingContext(uid));
  }

  private asymmetric(uid: string): string {
    return this.box.seal(generateAsymmetricSecret(), sealingContext(uid));
  }

  private publicKey(uid: string, sealed: string): string {
    return publicKeyOf(this.box.open(sealed, sealingContext(uid)));
  }
}

/** Newest first. */
export function stillValid(former: readonly FormerSecret[], nowMs: number): FormerSecret[] {
  return former.filter(({ validUntil }) => Date.parse(validUntil) > nowMs);
}

function retired(
  replaced: readonly string[],
  former: readonly FormerSecret[],
  overlapMs: number,
  nowMs: number,
): FormerSecret[] {
  const validUntil = new Date(nowMs + overlapMs).toISOString();
  const retiring = overlapMs > 0 ? replaced.map((sealed) => ({ sealed, validUntil })) : [];
  return [...retiring, ...stillValid(former, nowMs)].slice(0, MAX_FORMER);
}
