import { Injectable } from '@nestjs/common';
import type { FormerSecret, SubscriptionResource } from '@quittance/contracts';
import {
  decodeAsymmetricSecret,
  decodeSigningSecret,
  SecretBox,
  type AsymmetricKey,
  type SigningKey,
} from '@quittance/webhooks';

/** The keys that sign an attempt, newest first. */
export interface KeySet {
  readonly keys: readonly SigningKey[];
  readonly asymmetricKeys: readonly AsymmetricKey[];
}

/** A key and until when it signs, epoch milliseconds. */
interface Timed<Key> {
  key: Key;
  until: number;
}

interface Opened {
  keys: readonly Timed<SigningKey>[];
  asymmetricKeys: readonly Timed<AsymmetricKey>[];
  /** Those that sign now, and until when they are all of them. */
  valid: KeySet;
  validUntil: number;
}

/** The signing keys of subscriptions, opened once per version of the resource. */
@Injectable()
export class SigningKeys {
  private readonly opened = new WeakMap<SubscriptionResource, Opened>();

  constructor(private readonly secrets: SecretBox) {}

  /**
   * The present keys, and those that were rotated away and are still valid.
   * @param now epoch milliseconds
   * @throws SecretBoxError when the master key is not the one that they were sealed under
   */
  of(subscription: SubscriptionResource, now = Date.now()): KeySet {
    let opened = this.opened.get(subscription);
    if (!opened) {
      opened = this.open(subscription, now);
      this.opened.set(subscription, opened);
    }
    if (now >= opened.validUntil) Object.assign(opened, validAt(opened, now));
    return opened.valid;
  }

  private open(subscription: SubscriptionResource, now: number): Opened {
    const { spec, secrets, metadata } = subscription;
    const context = `Subscription/${metadata.uid}`;
    const unseal = (sealed: string): string => this.secrets.open(sealed, context);
    const present = { sealed: secrets.signing, former: secrets.former };
    const keys = open(present, now, (sealed) => decodeSigningSecret(unseal(sealed)));
    const asymmetric = {
      sealed: secrets.asymmetric === undefined ? [] : [secrets.asymmetric],
      former: secrets.formerAsymmetric,
    };
    const asymmetricKeys = spec.signing.asymmetric
      ? open(asymmetric, now, (sealed) => decodeAsymmetricSecret(unseal(sealed)))
      : [];
    return { keys, asymmetricKeys, ...validAt({ keys, asymmetricKeys }, now) };
  }
}

/** Secrets whose time is over stay closed: the master key that opened them may be gone. */
function open<Key>(
  { sealed, former }: { sealed: readonly string[]; former: readonly FormerSecret[] },
  now: number,
  decode: (sealed: string) => Key,
): Timed<Key>[] {
  return [
    ...sealed.map((text) => ({ key: decode(text), until: Infinity })),
    ...former
      .map((secret) => ({ sealed: secret.sealed, until: Date.parse(secret.validUntil) }))
      .filter(({ until }) => until > now)
      .map((secret) => ({ key: decode(secret.sealed), until: secret.until })),
  ];
}

function validAt(
  { keys, asymmetricKeys }: Pick<Opened, 'keys' | 'asymmetricKeys'>,
  now: number,
): Pick<Opened, 'valid' | 'validUntil'> {
  const isValid = ({ until }: Timed<unknown>): boolean => until > now;
  const times = [...keys, ...asymmetricKeys].filter(isValid).map(({ until }) => until);
  return {
    valid: {
      keys: keys.filter(isValid).map(({ key }) => key),
      asymmetricKeys: asymmetricKeys.filter(isValid).map(({ key }) => key),
    },
    validUntil: Math.min(...times),
  };
}
