import { Problem, sourceSpec, type SourceSecrets, type SourceSpec } from '@quittance/contracts';
import { SecretBox } from '@quittance/webhooks';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { VerifierSecrets, type Merge } from './verifier-secrets.js';

const UID = '0198c0de-0000-7000-8000-000000000001';
const box = (): SecretBox => new SecretBox([randomBytes(32).toString('base64')]);
const secrets = new VerifierSecrets(box());

const specOf = (verify: object): SourceSpec => sourceSpec.parse({ verify });
const STRIPE = specOf({ type: 'stripe' });
const GITHUB = specOf({ type: 'github' });
const NONE = specOf({ type: 'none' });

const stored = (spec: SourceSpec, given: Merge['given'], keeper = secrets): SourceSecrets =>
  keeper.merge(UID, { spec, given }).secrets;

function faultsOf(merge: Merge): { path: string; message: string }[] {
  try {
    secrets.merge(UID, merge);
    return [];
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_resource') throw error;
    return error.extensions['errors'] as { path: string; message: string }[];
  }
}

describe('what a source verifies with', () => {
  it('is sealed for this source, and opens again', () => {
    const given = { verify: ['whsec_one_one', 'whsec_two_two'], handshakeToken: 'a-token-of-ours' };
    const { secrets: sealed, changed } = secrets.merge(UID, { spec: STRIPE, given });
    expect(JSON.stringify(sealed)).not.toMatch(/whsec|token-of/);
    expect(secrets.open(UID, sealed)).toEqual(given);
    expect(() => secrets.open(`${UID}-other`, sealed)).toThrow('belongs to another');
    expect(changed).toEqual(['verify', 'handshakeToken']);
  });

  it('stays as it is where it is left out', () => {
    const before = {
      spec: STRIPE,
      secrets: stored(STRIPE, { verify: ['whsec_one_one'], handshakeToken: 'a-token-of-ours' }),
    };
    expect(secrets.merge(UID, { spec: STRIPE, given: {}, before })).toEqual({
      secrets: before.secrets,
      changed: [],
    });
    const rotated = secrets.merge(UID, { spec: STRIPE, given: { verify: ['whsec_two_two'] }, before });
    expect(rotated.changed).toEqual(['verify']);
    expect(secrets.open(UID, rotated.secrets)).toEqual({
      verify: ['whsec_two_two'],
      handshakeToken: 'a-token-of-ours',
    });
  });

  it("needs a token where the source answers a hub's challenge", () => {
    const spec = { ...STRIPE, handshake: { hub: true } };
    const given = { verify: ['whsec_one_one'] };
    const fault = { path: '/secrets/handshakeToken', message: 'is needed, because "handshake.hub" is true' };
    expect(faultsOf({ spec, given })).toEqual([fault]);
    const before = { spec: STRIPE, secrets: stored(STRIPE, given) };
    expect(faultsOf({ spec, given: {}, before })).toEqual([fault]);
    const withToken = { ...given, handshakeToken: 'a-token-of-ours' };
    expect(faultsOf({ spec, given: withToken })).toEqual([]);
    expect(
      faultsOf({ spec, given: {}, before: { spec: STRIPE, secrets: stored(STRIPE, withToken) } }),
    ).toEqual([]);
  });

  it('is needed at first, and anew when the way of verifying changes', () => {
    expect(faultsOf({ spec: STRIPE, given: {} })).toEqual([
      { path: '/secrets/verify', message: 'is needed, because "verify.type" is "stripe"' },
    ]);
    const before = { spec: STRIPE, secrets: stored(STRIPE, { verify: ['whsec_one_one'] }) };
    expect(faultsOf({ spec: GITHUB, given: {}, before })).toMatchObject([{ path: '/secrets/verify' }]);
    expect(faultsOf({ spec: GITHUB, given: { verify: ['another-secret'] }, before })).toEqual([]);
  });

  it('is nothing where nobody is verified', () => {
    expect(secrets.merge(UID, { spec: NONE, given: {} })).toEqual({ secrets: { verify: [] }, changed: [] });
    expect(faultsOf({ spec: NONE, given: { verify: ['another-secret'] } })).toMatchObject([
      { path: '/secrets/verify' },
    ]);
    const before = { spec: STRIPE, secrets: stored(STRIPE, { verify: ['whsec_one_one'] }) };
    expect(secrets.merge(UID, { spec: NONE, given: {}, before })).toEqual({
      secrets: { verify: [] },
      changed: ['verify'],
    });
  });

  it('must be something that the scheme can use, also when only the scheme changes', () => {
    const hmac = (secretEncoding: string): SourceSpec =>
      specOf({ type: 'hmac', header: 'x-signature', secretEncoding });
    const faults = faultsOf({ spec: hmac('hex'), given: { verify: ['abcdef0123456789', 'not-hex-at-all'] } });
    expect(faults).toMatchObject([{ path: '/secrets/verify/1' }]);
    expect(JSON.stringify(faults)).not.toContain('not-hex-at-all');
    const before = { spec: hmac('utf8'), secrets: stored(hmac('utf8'), { verify: ['not-hex-at-all'] }) };
    expect(faultsOf({ spec: hmac('hex'), given: {}, before })).toMatchObject([{ path: '/secrets/verify/0' }]);
  });

  it('is needed anew when nobody can open what is stored', () => {
    const other = new VerifierSecrets(box());
    const before = { spec: STRIPE, secrets: stored(STRIPE, { verify: ['whsec_one_one'] }, other) };
    expect(faultsOf({ spec: STRIPE, given: {}, before })).toMatchObject([{ path: '/secrets/verify' }]);
    expect(faultsOf({ spec: STRIPE, given: { verify: ['whsec_two_two'] }, before })).toEqual([]);
  });
});
