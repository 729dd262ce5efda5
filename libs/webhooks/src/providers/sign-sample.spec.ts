import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { createVerifier } from '../verification/create-verifier.js';
import { InvalidVerifierSecretError } from '../verification/verification-error.js';
import { SCHEMES } from '../verification/verification.fixture.js';
import { providerFacts } from './provider-facts.js';
import { sampleBody } from './sample-body.js';
import { signSample, UnsignableSampleError } from './sign-sample.js';

const OCCASION = { nowMs: 1_700_000_000_250, deliveryId: 'sample-018f2b3c' };
const SIGNABLE = [
  ...SCHEMES.filter(({ secret }) => !secret.startsWith('whpk_')),
  { title: 'none', verify: sourceVerify.parse({ type: 'none' }), secret: 'not needed' },
];

describe.each(SIGNABLE)('a sample for $title', ({ verify, secret }) => {
  const { body, contentType, headers } = sampleBody(verify, OCCASION);
  const signed = signSample(verify, secret, { body, contentType, ...OCCASION });

  it('is accepted by the verifier of the source', () => {
    const request = { headers: { ...headers, ...signed.headers }, rawBody: signed.body };
    expect(() => createVerifier(verify, [secret]).verify(request, OCCASION.nowMs)).not.toThrow();
  });

  it('is small JSON, and says so', () => {
    expect(signed.headers['content-type']).toBe('application/json');
    expect(JSON.parse(signed.body.toString())).toBeTypeOf('object');
    expect(signed.body.length).toBeLessThan(4096);
  });

  it('can be signed with any other body', () => {
    const own = Buffer.from('a=1&b=2');
    const sample = { body: own, contentType: 'application/x-www-form-urlencoded', ...OCCASION };
    const { headers: ownHeaders, body: rawBody } = signSample(verify, secret, sample);
    expect(ownHeaders['content-type']).toBe('application/x-www-form-urlencoded');
    expect(rawBody).toEqual(own);
    expect(() =>
      createVerifier(verify, [secret]).verify({ headers: ownHeaders, rawBody }, OCCASION.nowMs),
    ).not.toThrow();
  });
});

describe('samples', () => {
  it.each([
    ['stripe', 'stripe.payment_intent.succeeded', true],
    ['github', 'github.push', false],
    ['shopify', 'shopify.orders.create', false],
    ['slack', 'slack.app_mention', true],
    ['standard-webhooks', 'sample.created', true],
  ])('of %s carry type and delivery id where the provider has them', (type, eventType, isSigned) => {
    const verify = sourceVerify.parse({ type });
    const { body, contentType, headers } = sampleBody(verify, OCCASION);
    const secret = SCHEMES.find((scheme) => scheme.verify.type === type)!.secret;
    const signed = signSample(verify, secret, { body, contentType, ...OCCASION });
    const facts = providerFacts(verify, { ...headers, ...signed.headers }, JSON.parse(body.toString()));
    expect(facts).toEqual({
      type: eventType,
      deliveryId: { value: OCCASION.deliveryId, signed: isSigned },
    });
  });

  it('carry the delivery id of an hmac source, signed or not', () => {
    const verify = sourceVerify.parse({ type: 'hmac', header: 'X-Sig', id: { header: 'X-Delivery' } });
    const { headers } = signSample(verify, 'a secret of ours', {
      ...sampleBody(verify, OCCASION),
      ...OCCASION,
    });
    expect(headers['x-delivery']).toBe(OCCASION.deliveryId);
  });

  it('cannot be signed without a secret, or with a public key', () => {
    const sample = { body: Buffer.from('{}'), contentType: 'application/json', ...OCCASION };
    for (const { verify } of SCHEMES) {
      expect(() => signSample(verify, undefined, sample)).toThrow(UnsignableSampleError);
    }
    const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';
    const verify = sourceVerify.parse({ type: 'standard-webhooks' });
    expect(() => signSample(verify, publicKey, sample)).toThrow(UnsignableSampleError);
    expect(() => signSample(verify, 'no such secret', sample)).toThrow(InvalidVerifierSecretError);
    expect(signSample(sourceVerify.parse({ type: 'none' }), undefined, sample).headers).toEqual({
      'content-type': 'application/json',
    });
  });
});
