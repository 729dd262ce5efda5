import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  decodeSigningSecret,
  generateSigningSecret,
  InvalidSigningSecretError,
  signV1,
  webhookHeaders,
} from './signature.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';

describe('signing', () => {
  it('gives the signature of the specification', () => {
    const body = Buffer.from('{"test": 2432232314}');
    expect(signV1(decodeSigningSecret(SECRET), ID, 1614265330, body)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
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
