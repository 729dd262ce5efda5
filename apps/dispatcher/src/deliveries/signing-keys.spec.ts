import {
  decodeAsymmetricSecret,
  decodeSigningSecret,
  generateAsymmetricSecret,
  generateSigningSecret,
  InvalidSigningSecretError,
  SecretBox,
  SecretBoxError,
  webhookHeaders,
} from '@quittance/webhooks';
import { describe, expect, it } from 'vitest';
import { box, seal, sealedSubscription } from './attempt.fixture.js';
import { SigningKeys, type KeySet } from './signing-keys.js';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const MINUTE = 60_000;

function former(secret: string, minutes: number) {
  return { sealed: seal(secret), validUntil: new Date(NOW + minutes * MINUTE).toISOString() };
}

/** The signatures that these keys make of one message, in order. */
function signatures(keys: KeySet): string[] {
  const message = { id: 'dlv_1', timestampSeconds: 1, body: Buffer.from('{}') };
  return webhookHeaders({ ...message, ...keys })['webhook-signature'].split(' ');
}

function expected(symmetric: readonly string[], asymmetric: readonly string[] = []): string[] {
  return signatures({
    keys: symmetric.map(decodeSigningSecret),
    asymmetricKeys: asymmetric.map(decodeAsymmetricSecret),
  });
}

describe('SigningKeys', () => {
  const [present, older, oldest] = [1, 2, 3].map(generateSigningSecret) as [string, string, string];
  const [pair, olderPair] = [1, 2].map(generateAsymmetricSecret) as [string, string];

  it('are the present ones and, until their time is over, those that were rotated away', () => {
    const keys = new SigningKeys(box);
    const resource = sealedSubscription({
      signing: [seal(present)],
      former: [former(older, 10), former(oldest, 5)],
    });
    const at = (minutes: number): string[] => signatures(keys.of(resource, NOW + minutes * MINUTE));
    expect(at(0)).toEqual(expected([present, older, oldest]));
    expect(at(4.9)).toEqual(expected([present, older, oldest]));
    expect(at(5)).toEqual(expected([present, older]));
    expect(at(9.9)).toEqual(expected([present, older]));
    expect(at(10)).toEqual(expected([present]));
    expect(at(1_000_000)).toEqual(expected([present]));
  });

  it('are opened once per version of the resource, and chosen anew only when one expires', () => {
    const keys = new SigningKeys(box);
    const resource = sealedSubscription({ former: [former(older, 10)] });
    const at = (minutes: number): KeySet => keys.of(resource, NOW + minutes * MINUTE);
    const both = at(0);
    expect(at(9)).toBe(both);
    const one = at(10);
    expect(one).not.toBe(both);
    expect(at(1000)).toBe(one);
  });

  it('leave secrets closed whose time was over before', () => {
    const expired = { sealed: 'not even sealed', validUntil: new Date(NOW).toISOString() };
    const resource = sealedSubscription({ signing: [seal(present)], former: [expired] });
    expect(signatures(new SigningKeys(box).of(resource, NOW))).toEqual(expected([present]));
  });

  it('are of both kinds where the subscription asks for asymmetric signatures', () => {
    const secrets = {
      signing: [seal(present)],
      asymmetric: seal(pair),
      formerAsymmetric: [former(olderPair, 10)],
    };
    const keys = new SigningKeys(box);
    const asked = sealedSubscription(secrets, true);
    expect(signatures(keys.of(asked, NOW))).toEqual(expected([present], [pair, olderPair]));
    expect(signatures(keys.of(asked, NOW + 10 * MINUTE))).toEqual(expected([present], [pair]));
    expect(signatures(keys.of(sealedSubscription(secrets), NOW))).toEqual(expected([present]));
  });

  it('stay closed under another master key, for another subscription, and when they are none', () => {
    const resource = sealedSubscription();
    const stranger = new SecretBox([Buffer.alloc(32, 8).toString('base64')]);
    expect(() => new SigningKeys(stranger).of(resource)).toThrow(SecretBoxError);
    const other = { ...resource, metadata: { ...resource.metadata, uid: 'uid-2' } };
    expect(() => new SigningKeys(box).of(other)).toThrow(SecretBoxError);
    const none = sealedSubscription({ signing: [seal('hunter2')] });
    expect(() => new SigningKeys(box).of(none)).toThrow(InvalidSigningSecretError);
  });
});
