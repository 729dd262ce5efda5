import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { verdict } from './verification.fixture.js';

const SECRETS = ['a-token-of-ours', 'the-next-token!'];

function judge(verify: object, headers: Record<string, string | string[]>, secrets = SECRETS): string {
  const request = { headers, rawBody: Buffer.from('{}') };
  return verdict(sourceVerify.parse(verify), secrets, request, 0);
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a bearer source', () => {
  it.each(['Bearer a-token-of-ours', 'bearer the-next-token!', 'BEARER a-token-of-ours'])(
    'accepts "%s"',
    (authorization) => {
      expect(judge({ type: 'bearer' }, { authorization })).toBe('accepted');
    },
  );

  it.each([
    'Bearer a-token-of-our',
    'Bearer a-token-of-ours ',
    'Bearer  a-token-of-ours',
    'Bearer a-token-of-ours, Bearer a-token-of-ours',
    'Bearer A-token-of-ours',
    'Bearer ',
    'Bearer',
    'a-token-of-ours',
    'Basic a-token-of-ours',
    'Secret a-token-of-ours',
    `Basic ${base64('x:a-token-of-ours')}`,
  ])('refuses "%s"', (authorization) => {
    expect(judge({ type: 'bearer' }, { authorization })).toBe('signature_invalid');
  });

  it('says when there is no header', () => {
    expect(judge({ type: 'bearer' }, {})).toBe('signature_missing');
    expect(judge({ type: 'bearer' }, { authorization: '' })).toBe('signature_missing');
  });
});

describe('a basic source', () => {
  const verify = { type: 'basic', username: 'shop' };

  it('accepts its user with either password', () => {
    for (const password of SECRETS) {
      expect(judge(verify, { authorization: `Basic ${base64(`shop:${password}`)}` })).toBe('accepted');
    }
  });

  it('accepts a password outside ASCII and with colons, in UTF-8', () => {
    const password = 'pässwörd:with:colons';
    expect(judge(verify, { authorization: `Basic ${base64(`shop:${password}`)}` }, [password])).toBe(
      'accepted',
    );
  });

  it.each([
    `Basic ${base64('shop:another')}`,
    `Basic ${base64('shop2:a-token-of-ours')}`,
    `Basic ${base64('a-token-of-ours:shop')}`,
    `Basic ${base64('shop:a-token-of-ours').replace(/=+$/, '')}*`,
    `Basic ${base64('shop:a-token-of-ours\n')}`,
    `Basic shop:a-token-of-ours`,
    `Bearer ${base64('shop:a-token-of-ours')}`,
  ])('refuses "%s"', (authorization) => {
    expect(judge(verify, { authorization })).toBe('signature_invalid');
  });
});

describe('an api-key source', () => {
  it('accepts either key in its header, whatever the case of its name', () => {
    for (const key of SECRETS) {
      expect(judge({ type: 'api-key', header: 'X-Shop-Key' }, { 'x-shop-key': key })).toBe('accepted');
      expect(judge({ type: 'api-key' }, { 'x-api-key': key })).toBe('accepted');
    }
  });

  it('refuses another key, two keys and a repeated header', () => {
    for (const key of ['another-key', SECRETS.join(', '), [...SECRETS]]) {
      expect(judge({ type: 'api-key' }, { 'x-api-key': key })).toBe('signature_invalid');
    }
  });

  it('says when there is no key', () => {
    expect(judge({ type: 'api-key' }, { authorization: 'a-token-of-ours' })).toBe('signature_missing');
  });
});

describe('a source without verification', () => {
  it('accepts whatever comes', () => {
    expect(judge({ type: 'none' }, {}, [])).toBe('accepted');
  });
});
