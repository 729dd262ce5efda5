import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { checkVerifierSecrets, createVerifier } from './create-verifier.js';
import { InvalidVerifierSecretError, VerificationError } from './verification-error.js';
import { SCHEMES, verdict, withChangedByte, type Scheme } from './verification.fixture.js';
import type { InboundRequest } from './verifier.js';

const NOW_MS = 1_700_000_000_250;
const BODY = Buffer.from('{"total":120.5,"name":"Zoë"}');

function errorOf(scheme: Scheme, request: InboundRequest, secret = scheme.secret): VerificationError {
  try {
    createVerifier(scheme.verify, [secret]).verify(request, NOW_MS);
  } catch (error) {
    if (error instanceof VerificationError) return error;
    throw error;
  }
  throw new Error('The request was accepted.');
}

describe.each(SCHEMES)('$title', (scheme) => {
  const { verify, secret, otherSecret, header, furtherHeaders } = scheme;
  const signed = scheme.sign(BODY, NOW_MS, 'delivery-1');

  it('accepts what was signed, with either of two secrets', () => {
    for (const secrets of [[secret], [secret, otherSecret], [otherSecret, secret]]) {
      expect(verdict(verify, secrets, signed, NOW_MS)).toBe('accepted');
    }
  });

  it('refuses another secret', () => {
    expect(verdict(verify, [otherSecret], signed, NOW_MS)).toBe('signature_invalid');
  });

  it('can be used for one request after the other', () => {
    const verifier = createVerifier(verify, [secret]);
    expect(() => verifier.verify({ ...signed, headers: {} }, NOW_MS)).toThrow(VerificationError);
    expect(() => verifier.verify(signed, NOW_MS)).not.toThrow();
    expect(() => verifier.verify(signed, NOW_MS)).not.toThrow();
  });

  it.each([header, ...furtherHeaders])('says that the header %s is missing', (name) => {
    const { [name]: _left, ...headers } = signed.headers;
    const error = errorOf(scheme, { ...signed, headers });
    expect(error.code).toBe('signature_missing');
    expect(error.message).toContain(`"${name}"`);
  });

  it('refuses a repeated header', () => {
    const value = String(signed.headers[header]);
    for (const repeated of [[value, value], `${value}, ${value}`, `${value},${value}`]) {
      const headers = { ...signed.headers, [header]: repeated };
      expect(errorOf(scheme, { ...signed, headers }).code).toBe('signature_invalid');
    }
  });

  it('repeats neither secrets nor signatures in its errors, and says that repeating is in vain', () => {
    const proof = String(signed.headers[header]);
    const errors = [
      errorOf(scheme, { ...signed, headers: { ...signed.headers, [header]: 'nonsense' } }),
      errorOf(scheme, { ...signed, headers: {} }),
      errorOf(scheme, signed, otherSecret),
    ];
    for (const error of errors) {
      expect(error.retryable).toBe(false);
      for (const text of [secret, otherSecret, proof, proof.slice(-20)]) {
        expect(error.message).not.toContain(text);
      }
    }
  });
});

describe.each(SCHEMES.filter(({ signsBody }) => signsBody))('the signature of $title', (scheme) => {
  it('is refused over any other body', () => {
    const signed = scheme.sign(BODY, NOW_MS, 'delivery-1');
    const others = [
      withChangedByte(signed).rawBody,
      Buffer.alloc(0),
      Buffer.concat([BODY, Buffer.from(' ')]),
      BODY.subarray(0, -1),
      Buffer.from(JSON.stringify(JSON.parse(BODY.toString()), undefined, 2)),
    ];
    for (const rawBody of others) {
      expect(verdict(scheme.verify, [scheme.secret], { ...signed, rawBody }, NOW_MS)).toBe(
        'signature_invalid',
      );
    }
  });
});

describe.each(SCHEMES.filter(({ signsTime }) => signsTime))('the time of $title', (scheme) => {
  it('is refused when it is too old or in the future, with the difference', () => {
    for (const offset of [-3_600_000, 3_600_000]) {
      const error = errorOf(scheme, scheme.sign(BODY, NOW_MS + offset, 'delivery-1'));
      expect(error.code).toBe('timestamp_out_of_tolerance');
      expect(error.message).toContain(`is 3600 s ${offset < 0 ? 'before' : 'after'} ours`);
    }
  });

  it('is not looked at before the signature', () => {
    const old = scheme.sign(BODY, NOW_MS - 3_600_000, 'delivery-1');
    expect(verdict(scheme.verify, [scheme.otherSecret], old, NOW_MS)).toBe('signature_invalid');
  });
});

describe('the secrets of a source', () => {
  const standard = { type: 'standard-webhooks' };
  const hmac = (secretEncoding: string) => ({ type: 'hmac', header: 'X-Sig', secretEncoding });

  it.each([
    ['standard-webhooks', standard, 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['standard-webhooks', standard, 'whsec_not base64 at all!'],
    ['standard-webhooks', standard, 'whsec_c2hvcnQ='],
    ['standard-webhooks', standard, 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4'],
    ['standard-webhooks', standard, 'whpk_c2hvcnQ='],
    ['standard-webhooks', standard, 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfV'],
    ['hmac', hmac('hex'), 'this is not hexadecimal'],
    ['hmac', hmac('hex'), 'abcdef012'],
    ['hmac', hmac('base64'), 'not*base64*'],
    ['hmac', hmac('base64'), 'YSBzZWNyZXQ'],
    ['bearer', { type: 'bearer' }, 'ends with a space '],
    ['bearer', { type: 'bearer' }, 'schlüssel'],
    ['api-key', { type: 'api-key' }, ' begins with one'],
  ])('of %s are refused when the scheme cannot use them: %s%s', (_type, input, secret) => {
    const verify = sourceVerify.parse(input);
    expect(() => createVerifier(verify, [secret])).toThrow(InvalidVerifierSecretError);
    const usable = SCHEMES.find((scheme) => scheme.verify.type === verify.type)!;
    const good = verify.type === 'hmac' ? 'abcdef012345abcd' : usable.secret;
    const problems = checkVerifierSecrets(verify, [good, secret]);
    expect(problems).toEqual([{ path: '/verify/1', message: expect.stringMatching(/must be/) as string }]);
    expect(problems[0]!.message).not.toContain(secret);
  });

  it.each(SCHEMES)('of $title pass the check when they can be used', ({ verify, secret, otherSecret }) => {
    expect(checkVerifierSecrets(verify, [secret, otherSecret])).toEqual([]);
  });

  it('must be there, unless nothing is verified', () => {
    for (const { verify } of SCHEMES) {
      expect(() => createVerifier(verify, [])).toThrow('needs at least one secret');
      expect(() => createVerifier(verify, [''])).toThrow(InvalidVerifierSecretError);
    }
    expect(() => createVerifier({ type: 'none' }, [])).not.toThrow();
  });
});
