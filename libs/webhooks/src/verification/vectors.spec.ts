import { createPrivateKey, sign } from 'node:crypto';
import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { verdict, withChangedByte } from './verification.fixture.js';

describe('the published examples', () => {
  it('of GitHub are accepted', () => {
    const request = {
      headers: {
        'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      },
      rawBody: Buffer.from('Hello, World!'),
    };
    const verify = sourceVerify.parse({ type: 'github' });
    expect(verdict(verify, ["It's a Secret to Everybody"], request, 0)).toBe('accepted');
    expect(verdict(verify, ["It's a Secret to Everybody"], withChangedByte(request), 0)).toBe(
      'signature_invalid',
    );
  });

  it('of Slack are accepted at their time only', () => {
    const form =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V' +
      '&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=' +
      '&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN' +
      '&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const request = {
      headers: {
        'x-slack-request-timestamp': '1531420618',
        'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      },
      rawBody: Buffer.from(form),
    };
    const verify = sourceVerify.parse({ type: 'slack' });
    const secrets = ['8f742231b10e8888abcd99yyyzzz85a5'];
    expect(verdict(verify, secrets, request, 1_531_420_618_000)).toBe('accepted');
    expect(verdict(verify, secrets, request, 1_531_421_618_000)).toBe('timestamp_out_of_tolerance');
  });
});

describe('the published examples of Standard Webhooks', () => {
  const verify = sourceVerify.parse({ type: 'standard-webhooks' });
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';
  const v1 = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
  const v1a = 'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';
  const nowMs = 1_614_265_330_000;
  const signedWith = (signature: string, id = 'msg_p5jXN8AQM9LWM0D4loKWxJek') => ({
    headers: { 'webhook-id': id, 'webhook-timestamp': '1614265330', 'webhook-signature': signature },
    rawBody: Buffer.from('{"test": 2432232314}'),
  });

  it.each([
    ['v1', secret, v1],
    ['v1a', publicKey, v1a],
    ['v1 after others', secret, `v1a,AAAA v2,later ${v1a} ${v1}`],
    ['v1a after others', publicKey, `${v1} v9,x= ${v1a}`],
  ])('are accepted: %s', (_title, key, signature) => {
    expect(verdict(verify, [key], signedWith(signature), nowMs)).toBe('accepted');
    expect(verdict(verify, [key], withChangedByte(signedWith(signature)), nowMs)).toBe('signature_invalid');
    expect(verdict(verify, [key], signedWith(signature), nowMs + 400_000)).toBe('timestamp_out_of_tolerance');
  });

  it('are accepted while a secret is replaced by a public key', () => {
    expect(verdict(verify, [publicKey, secret], signedWith(v1), nowMs)).toBe('accepted');
    expect(verdict(verify, [publicKey, secret], signedWith(v1a), nowMs)).toBe('accepted');
  });

  it('are refused by a key of the other kind', () => {
    expect(verdict(verify, [publicKey], signedWith(v1), nowMs)).toBe('signature_invalid');
    expect(verdict(verify, [secret], signedWith(v1a), nowMs)).toBe('signature_invalid');
  });

  it.each([
    ['a v1 signature as v1a', v1.replace('v1,', 'v1a,')],
    ['a v1a signature as v1', v1a.replace('v1a,', 'v1,')],
    ['base64 with characters that a lenient decoder skips', v1.replace('g0hM', 'g0*hM').replace('OE=', 'E=')],
    ['base64 with spare bits', v1.replace('OE=', 'OF=')],
    ['base64 of a byte more', v1.replace('OE=', 'OEA')],
    ['base64 of a byte less', v1.replace('OE=', 'A==')],
    ['base64url', v1.replace('+', '-').replace('/', '_')],
    ['base64 without padding', v1.slice(0, -1)],
    ['two headers that were joined', `${v1}, ${v1}`],
    ['more than 20 signatures', Array.from({ length: 21 }, () => v1).join(' ')],
    ['more than 4 signatures by a public key', `${v1} ${Array.from({ length: 5 }, () => v1a).join(' ')}`],
    ['no version', v1.slice(3)],
    ['nothing but a space', ' '],
    ['a header beyond its bound', `${v1} v2,${'x'.repeat(9000)}`],
  ])('are refused when the header holds %s', (_title, signature) => {
    expect(verdict(verify, [secret, publicKey], signedWith(signature), nowMs)).toBe('signature_invalid');
  });

  it('are refused when the id could be cut elsewhere', () => {
    // A message "a" at 1614265330 whose body begins with a later time, shown as a message of that later time.
    const key = createPrivateKey({
      key: Buffer.concat([
        Buffer.from('302e020100300506032b657004220420', 'hex'),
        Buffer.from(
          '6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
          'base64',
        ).subarray(0, 32),
      ]),
      format: 'der',
      type: 'pkcs8',
    });
    const signature = sign(undefined, Buffer.from('a.1614265330.1900000000.{}'), key).toString('base64');
    const shown = (id: string, time: string, body: string) => ({
      headers: { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1a,${signature}` },
      rawBody: Buffer.from(body),
    });
    const whole = shown('a', '1614265330', '1900000000.{}');
    expect(verdict(verify, [publicKey], whole, nowMs)).toBe('accepted');
    const cut = shown('a.1614265330', '1900000000', '{}');
    expect(verdict(verify, [publicKey], cut, 1_900_000_000_000)).toBe('signature_invalid');
  });
});
