import { randomBytes, randomUUID } from 'node:crypto';
import { SecretBox } from '@quittance/webhooks';
import { beforeEach, describe, expect, it } from 'vitest';
import { SigningSecrets } from './signing-secrets.js';

const NOW = Date.parse('2026-03-01T00:00:00Z');
const HOUR = 3_600_000;
const uid = randomUUID();
let box: SecretBox;
let signing: SigningSecrets;

beforeEach(() => {
  box = new SecretBox([randomBytes(32).toString('base64')]);
  signing = new SigningSecrets(box);
});

const opened = (sealed: string): string => box.open(sealed, `Subscription/${uid}`);

describe('the secrets of a subscription', () => {
  it('are one secret, and a key pair where that is asked for', () => {
    const plain = signing.create(uid, { asymmetric: false });
    expect(plain).toEqual({ signing: [expect.any(String)], former: [], formerAsymmetric: [] });
    expect(signing.reveal(uid, plain)).toMatch(/^whsec_/);
    expect(signing.publicKeys(uid, plain, NOW)).toEqual([]);

    const paired = signing.create(uid, { asymmetric: true });
    expect(opened(paired.asymmetric!)).toMatch(/^whsk_/);
    expect(signing.publicKeys(uid, paired, NOW)).toEqual([
      { publicKey: expect.stringMatching(/^whpk_[A-Za-z0-9+/]{43}=$/) },
    ]);
  });

  it('open for no other subscription', () => {
    const secrets = signing.create(uid, { asymmetric: true });
    expect(() => signing.reveal(randomUUID(), secrets)).toThrow(/belongs to another resource/);
    expect(() => signing.publicKeys(randomUUID(), secrets, NOW)).toThrow(/belongs to another resource/);
  });

  it('get a key pair once, which stays when it is not asked for any more', () => {
    const plain = signing.create(uid, { asymmetric: false });
    const { secrets, changed } = signing.completed(uid, { asymmetric: true }, plain);
    expect(changed).toEqual(['asymmetric']);
    expect(secrets.signing).toEqual(plain.signing);
    for (const asymmetric of [false, true]) {
      expect(signing.completed(uid, { asymmetric }, secrets)).toEqual({ secrets, changed: [] });
    }
  });

  it('are all replaced by a rotation, and sign beside the new ones until the overlap is over', () => {
    const first = signing.create(uid, { asymmetric: true });
    const second = signing.rotated(uid, first, HOUR, NOW);
    const validUntil = new Date(NOW + HOUR).toISOString();
    expect(second.former).toEqual([{ sealed: first.signing[0], validUntil }]);
    expect(second.formerAsymmetric).toEqual([{ sealed: first.asymmetric, validUntil }]);
    expect(signing.reveal(uid, second)).not.toBe(signing.reveal(uid, first));
    const [before] = signing.publicKeys(uid, first, NOW);
    expect(signing.publicKeys(uid, second, NOW)).toEqual([
      { publicKey: expect.stringMatching(/^whpk_/) },
      { ...before, validUntil },
    ]);
    expect(signing.publicKeys(uid, second, NOW)[0]).not.toEqual(before);
    expect(signing.publicKeys(uid, second, NOW + HOUR)).toHaveLength(1);
  });

  it('show the newest public key, whatever the former ones were sealed under', () => {
    const first = signing.create(uid, { asymmetric: true });
    const other = new SigningSecrets(new SecretBox([randomBytes(32).toString('base64')]));
    const second = other.rotated(uid, first, HOUR, NOW);
    expect(() => other.publicKeys(uid, second, NOW)).toThrow(/master key/);
    expect(other.newestPublicKey(uid, second)).toMatch(/^whpk_/);
    expect(signing.newestPublicKey(uid, first)).toBe(signing.publicKeys(uid, first, NOW)[0]?.publicKey);
    expect(signing.newestPublicKey(uid, signing.create(uid, { asymmetric: false }))).toBeUndefined();
  });

  it('that are rotated without overlap are gone at once; expired ones go with the next rotation', () => {
    const first = signing.create(uid, { asymmetric: true });
    expect(signing.rotated(uid, first, 0, NOW)).toMatchObject({ former: [], formerAsymmetric: [] });
    const second = signing.rotated(uid, first, HOUR, NOW);
    const third = signing.rotated(uid, second, 0, NOW + HOUR);
    expect(third).toMatchObject({ former: [], formerAsymmetric: [] });
  });

  it('are five at most beside the newest', () => {
    let secrets = signing.create(uid, { asymmetric: true });
    const newestBefore: string[] = [];
    for (let round = 0; round < 7; round++) {
      newestBefore.unshift(secrets.signing[0]!);
      secrets = signing.rotated(uid, secrets, HOUR, NOW + round);
    }
    expect(secrets.former.map(({ sealed }) => sealed)).toEqual(newestBefore.slice(0, 5));
    expect(secrets.formerAsymmetric).toHaveLength(5);
  });
});
