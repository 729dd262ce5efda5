import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createVerifier } from './verification/create-verifier.js';
import {
  decodeAsymmetricSecret,
  decodeSigningSecret,
  generateAsymmetricSecret,
  generateSigningSecret,
  InvalidSigningSecretError,
  publicKeyOf,
  signV1,
  signV1a,
  webhookHeaders,
} from './signature.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ASYMMETRIC =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
const PUBLIC = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';

describe('signing', () => {
  it('gives the signature of the specification', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(signV1(decodeSigningSecret(SECRET), ID, 1614265330, body)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('gives the asymmetric signature of the specification', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(signV1a(decodeAsymmetricSecret(ASYMMETRIC), ID, 1614265330, body)).toBe(
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    );
  });

  it('with keys of both kinds lets each receiver verify with what it has', () => {
    const [newer, older] = [generateSigningSecret(), generateSigningSecret()];
    const [newerPair, olderPair] = [generateAsymmetricSecret(), generateAsymmetricSecret()];
    const body = Buffer.from('{"total":120.5}');
    const now = Date.now();
    const headers = webhookHeaders({
      id: 'dlv_1',
      timestampSeconds: Math.floor(now / 1000),
      body,
      keys: [newer, older].map(decodeSigningSecret),
      asymmetricKeys: [newerPair, olderPair].map(decodeAsymmetricSecret),
    });
    expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+ v1a,\S+ v1a,\S+$/);
    // The official library knows `v1` only, and passes over the others.
    for (const secret of [newer, older]) {
      expect(new Webhook(secret).verify(body, headers)).toEqual({ total: 120.5 });
    }
    const verify = (secret: string, rawBody: Buffer): void =>
      createVerifier({ type: 'standard-webhooks', tolerance: '5m' }, [secret]).verify(
        { headers, rawBody },
        now,
      );
    for (const secret of [newerPair, olderPair]) {
      expect(() => verify(publicKeyOf(secret), body)).not.toThrow();
      expect(() => verify(publicKeyOf(secret), Buffer.from('{"total":1}'))).toThrow('signature');
    }
    expect(() => verify(publicKeyOf(generateAsymmetricSecret()), body)).toThrow('signature');
  });

  it('may be asymmetric only', () => {
    const keys = { keys: [], asymmetricKeys: [decodeAsymmetricSecret(ASYMMETRIC)] };
    const headers = webhookHeaders({ id: 'a', timestampSeconds: 1, body: Buffer.from('x'), ...keys });
    expect(headers['webhook-signature']).toMatch(/^v1a,\S+$/);
  });

  it('is accepted by the official library, with each of two keys during a rotation', () => {
    const [newer, older] = [generateSigningSecret(), generateSigningSecret()];
    const body = Buffer.from('{"total":120.5,"name":"Zoë"}');
    const headers = webhookHeaders({
      id: 'dlv_1',
      timestampSeconds: Math.floor(Date.now() / 1000),
      body,
      keys: [decodeSigningSecret(newer), decodeSigningSecret(older)],
    });
    expect(headers['webhook-signature'].split(' ')).toHaveLength(2);
    for (const secret of [newer, older]) {
      expect(new Webhook(secret).verify(body, headers)).toEqual({ total: 120.5, name: 'Zoë' });
    }
    expect(() => new Webhook(generateSigningSecret()).verify(body, headers)).toThrow('No matching signature');
    expect(() => new Webhook(newer).verify(Buffer.from('{"total":1}'), headers)).toThrow(
      'No matching signature',
    );
  });

  it('signs raw bytes, whether or not they are text', () => {
    const key = decodeSigningSecret(SECRET);
    expect(signV1(key, ID, 1, Buffer.from([0xff, 0xfe]))).not.toBe(
      signV1(key, ID, 1, Buffer.from([0xfe, 0xff])),
    );
  });

  it.each([
    { id: 'a.b', timestampSeconds: 1 },
    { id: '', timestampSeconds: 1 },
    { id: 'a', timestampSeconds: 1.5 },
  ])('refuses what would make the signed content ambiguous: %o', (message) => {
    const keys = [decodeSigningSecret(SECRET)];
    expect(() => webhookHeaders({ ...message, body: Buffer.from('x'), keys })).toThrow(RangeError);
  });

  it('refuses to send an unsigned webhook', () => {
    expect(() => webhookHeaders({ id: 'a', timestampSeconds: 1, body: Buffer.from('x'), keys: [] })).toThrow(
      RangeError,
    );
  });
});

describe('signing secrets', () => {
  it('are generated from 32 random bytes', () => {
    const secret = generateSigningSecret();
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
    expect(() => decodeSigningSecret(secret)).not.toThrow();
    expect(generateSigningSecret()).not.toBe(secret);
  });

  it.each([
    'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    'whsec_',
    'whsec_c2hvcnQ=',
    'whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw',
  ])('are refused when they are not, without repeating them: %s', (secret) => {
    let error: unknown;
    try {
      decodeSigningSecret(secret);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidSigningSecretError);
    expect(error).toMatchObject({ code: 'invalid_signing_secret', retryable: false });
    expect(String(error)).not.toContain('MfKQ9r8');
  });
});

describe('asymmetric signing secrets', () => {
  it('are generated, each another, and decoded again', () => {
    const secret = generateAsymmetricSecret();
    expect(secret).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/);
    expect(publicKeyOf(secret)).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
    expect(generateAsymmetricSecret()).not.toBe(secret);
  });

  it('tell their public key', () => {
    expect(publicKeyOf(ASYMMETRIC)).toBe(PUBLIC);
  });

  it.each([
    ['no prefix', ASYMMETRIC.slice('whsk_'.length)],
    ['the prefix of another kind', ASYMMETRIC.replace('whsk_', 'whsec_')],
    ['nothing', 'whsk_'],
    ['a private key alone', `whsk_${Buffer.alloc(32, 7).toString('base64')}`],
    ['what is not base64', ASYMMETRIC.replace('6Xb/', '6Xb ')],
    ['the public key of another', `whsk_${Buffer.alloc(64, 7).toString('base64')}`],
  ])('are refused when they are not, without repeating them: %s', (_, secret) => {
    let error: unknown;
    try {
      decodeAsymmetricSecret(secret);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidSigningSecretError);
    expect(String(error)).not.toContain('dCcHpPea21');
    expect(String(error)).not.toContain('BwcHBw');
  });
});
