import { createHmac } from 'node:crypto';
import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { verdict, withChangedByte } from './verification.fixture.js';

const SECRET = 'a secret between two';
const BODY: Buffer = Buffer.from([0x7b, 0xff, 0x00, 0x22, 0x7d]);
const NOW_MS = 1_700_000_000_500;

type Algorithm = 'sha1' | 'sha256' | 'sha512';

function hmac(
  content: string,
  {
    key = SECRET,
    algorithm = 'sha256',
    encoding = 'hex' as 'hex' | 'base64',
    body = BODY,
  }: {
    key?: string | Buffer;
    algorithm?: Algorithm;
    encoding?: 'hex' | 'base64';
    body?: Buffer;
  } = {},
): string {
  const [before = '', after = ''] = content.split('BODY');
  return createHmac(algorithm, key).update(before).update(body).update(after).digest(encoding);
}

function judge(options: object, headers: Record<string, string>, secret = SECRET, body = BODY): string {
  const verify = sourceVerify.parse({ type: 'hmac', header: 'X-Signature', ...options });
  return verdict(verify, [secret], { headers, rawBody: body }, NOW_MS);
}

describe('an hmac source', () => {
  it.each(
    (['sha1', 'sha256', 'sha512'] as const).flatMap((algorithm) =>
      (['hex', 'base64'] as const).map((encoding) => [algorithm, encoding] as const),
    ),
  )('takes %s in %s, with a prefix', (algorithm, encoding) => {
    const options = { algorithm, encoding, prefix: 'sig=' };
    const signature = hmac('BODY', { algorithm, encoding });
    expect(judge(options, { 'x-signature': `sig=${signature}` })).toBe('accepted');
    for (const wrong of [signature, `SIG=${signature}`, `sig=${signature} `, `sig= ${signature}`, 'sig=']) {
      expect(judge(options, { 'x-signature': wrong })).toBe('signature_invalid');
    }
    const request = withChangedByte({ headers: {}, rawBody: BODY });
    expect(judge(options, { 'x-signature': `sig=${signature}` }, SECRET, request.rawBody)).toBe(
      'signature_invalid',
    );
    expect(judge(options, {})).toBe('signature_missing');
  });

  it.each([
    ['hex', SECRET, '61207365637265742062657477656e2074776f'],
    ['hex', SECRET, '61207365637265742062657477656E2074776F'],
    ['base64', SECRET, 'YSBzZWNyZXQgYmV0d2VuIHR3bw=='],
  ])('reads a key that is written in %s', (secretEncoding, _plain, secret) => {
    const signature = hmac('BODY', { key: 'a secret betwen two' });
    expect(judge({ secretEncoding }, { 'x-signature': signature }, secret)).toBe('accepted');
    expect(judge({}, { 'x-signature': signature }, secret)).toBe('signature_invalid');
  });

  it('takes a secret outside ASCII as UTF-8', () => {
    const signature = hmac('BODY', { key: Buffer.from('schlüssel') });
    expect(judge({}, { 'x-signature': signature }, 'schlüssel')).toBe('accepted');
  });

  it('takes hex in capitals, and not in mixed case', () => {
    const signature = hmac('BODY').toUpperCase();
    expect(judge({}, { 'x-signature': signature })).toBe('accepted');
    expect(judge({}, { 'x-signature': signature.replace(/[A-F]/, (c) => c.toLowerCase()) })).toBe(
      'signature_invalid',
    );
  });

  it('signs the content that the source describes', () => {
    const options = {
      content: 'v7-{id}-{timestamp}:{body}:é',
      timestamp: { header: 'X-Time' },
      id: { header: 'X-Id' },
    };
    const headers = (time: string, id: string) => ({
      'x-signature': hmac(`v7-${id}-${time}:BODY:é`),
      'x-time': time,
      'x-id': id,
    });
    expect(judge(options, headers('1700000000', 'd.1'))).toBe('accepted');
    expect(judge(options, headers('1700000300', 'd.1'))).toBe('accepted');
    expect(judge(options, headers('1700000301', 'd.1'))).toBe('timestamp_out_of_tolerance');
    expect(judge(options, headers('1699999699', 'd.1'))).toBe('timestamp_out_of_tolerance');
    expect(judge(options, { ...headers('1700000000', 'd.1'), 'x-id': 'd.2' })).toBe('signature_invalid');
    expect(judge(options, { ...headers('1700000000', 'd.1'), 'x-time': '1700000001' })).toBe(
      'signature_invalid',
    );
    for (const missing of ['x-signature', 'x-time', 'x-id']) {
      expect(judge(options, { ...headers('1700000000', 'd.1'), [missing]: '' })).toBe('signature_missing');
    }
  });

  it('reads a time in milliseconds', () => {
    const options = {
      content: '{timestamp}{body}',
      timestamp: { header: 'X-Time', unit: 'ms', tolerance: '1s' },
    };
    const headers = (ms: number) => ({ 'x-signature': hmac(`${ms}BODY`), 'x-time': String(ms) });
    expect(judge(options, headers(NOW_MS - 1000))).toBe('accepted');
    expect(judge(options, headers(NOW_MS - 1001))).toBe('timestamp_out_of_tolerance');
    expect(judge(options, headers(NOW_MS + 1001))).toBe('timestamp_out_of_tolerance');
  });

  it.each(['soon', '1700000000.0', '+1700000000', '01700000000', '1.7e9', '0x6553f100', '9'.repeat(16)])(
    'refuses %s as a time, although it is signed',
    (time) => {
      const options = { content: '{timestamp}.{body}', timestamp: { header: 'X-Time' } };
      expect(judge(options, { 'x-signature': hmac(`${time}.BODY`), 'x-time': time })).toBe(
        'signature_invalid',
      );
    },
  );

  it('refuses an id that would let the signed content be cut elsewhere', () => {
    const options = { content: '{id}.{body}', id: { header: 'X-Id' } };
    const signature = createHmac('sha256', SECRET).update('a.b.{}').digest('hex');
    const shown = (id: string, body: string) =>
      judge(options, { 'x-signature': signature, 'x-id': id }, SECRET, Buffer.from(body));
    expect(shown('a', 'b.{}')).toBe('accepted');
    expect(shown('a.b', '{}')).toBe('signature_invalid');
  });

  it.each(['a b', 'ä', '\u{1f600}', 'x'.repeat(513)])(
    'refuses "%s" as an id, although it is signed',
    (id) => {
      const options = { content: '{id}.{body}', id: { header: 'X-Id' } };
      expect(judge(options, { 'x-signature': hmac(`${id}.BODY`), 'x-id': id })).toBe('signature_invalid');
    },
  );

  it('does not ask for an id that is not signed', () => {
    expect(judge({ id: { header: 'X-Id' } }, { 'x-signature': hmac('BODY') })).toBe('accepted');
  });

  it.each(['constructor', '__proto__', 'toString'])('finds no header %s where there is none', (header) => {
    expect(judge({ header }, {})).toBe('signature_missing');
  });

  it('signs an empty body like any other', () => {
    const signature = createHmac('sha256', SECRET).digest('hex');
    expect(judge({}, { 'x-signature': signature }, SECRET, Buffer.alloc(0))).toBe('accepted');
  });
});

describe('a Shopify source', () => {
  const signature = hmac('BODY', { encoding: 'base64' });
  const verify = sourceVerify.parse({ type: 'shopify' });

  it('takes the signature from the newer header where the older one is missing or empty', () => {
    const headers = { 'x-shopify-hmac-sha256': '', 'shopify-hmac-sha256': signature };
    expect(verdict(verify, [SECRET], { headers, rawBody: BODY }, NOW_MS)).toBe('accepted');
  });

  it('does not fall back to another header when the signature is wrong', () => {
    const headers = {
      'x-shopify-hmac-sha256': hmac('x', { encoding: 'base64' }),
      'shopify-hmac-sha256': signature,
    };
    expect(verdict(verify, [SECRET], { headers, rawBody: BODY }, NOW_MS)).toBe('signature_invalid');
  });
});
