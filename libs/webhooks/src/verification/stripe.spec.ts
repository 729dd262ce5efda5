import { createHmac } from 'node:crypto';
import { sourceVerify } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { verdict } from './verification.fixture.js';

const VERIFY = sourceVerify.parse({ type: 'stripe' });
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const SECONDS = 1_700_000_000;
const BODY = Buffer.from('{"id":"evt_1"}');

function v1(key: string | Buffer = SECRET, time: string = String(SECONDS)): string {
  return createHmac('sha256', key).update(`${time}.`).update(BODY).digest('hex');
}

function judge(header: string | string[]): string {
  const request = { headers: { 'stripe-signature': header }, rawBody: BODY };
  return verdict(VERIFY, [SECRET], request, SECONDS * 1000);
}

describe("Stripe's signature", () => {
  it.each([
    ['after one by another secret', `t=${SECONDS},v1=${v1('whsec_another')},v1=${v1()}`],
    ['before one by another secret', `t=${SECONDS},v1=${v1()},v1=${v1('whsec_another')}`],
    ['among other schemes', `v0=abc,t=${SECONDS},v1=${v1()},v2=x`],
    ['beside one that is no digest', `t=${SECONDS},v1=nonsense,v1=${v1()}`],
    ['as the 20th', `t=${SECONDS}${`,v1=${v1('other')}`.repeat(19)},v1=${v1()}`],
  ])('counts %s', (_title, header) => {
    expect(judge(header)).toBe('accepted');
  });

  it.each([
    ['by the decoded secret', `t=${SECONDS},v1=${v1(Buffer.from(SECRET.slice(6), 'base64'))}`],
    ['by the secret without its prefix', `t=${SECONDS},v1=${v1(SECRET.slice(6))}`],
    ['of another scheme', `t=${SECONDS},v0=${v1()}`],
    ['without a time', `v1=${v1()}`],
    ['with a time that is no number', `t=soon,v1=${v1(SECRET, 'soon')}`],
    ['with a time that is not whole', `t=${SECONDS}.5,v1=${v1(SECRET, `${SECONDS}.5`)}`],
    ['with a time with leading zeros', `t=0${SECONDS},v1=${v1(SECRET, `0${SECONDS}`)}`],
    ['with a time as a power', `t=17e8,v1=${v1(SECRET, '17e8')}`],
    ['with two times', `t=1,t=${SECONDS},v1=${v1()}`],
    ['of two headers that were joined', `t=${SECONDS},v1=${v1()}, t=${SECONDS},v1=${v1()}`],
    ['with more after the digest', `t=${SECONDS},v1=${v1()}00`],
    ['with a character that a lenient decoder stops at', `t=${SECONDS},v1=${v1().slice(0, 62)}zz`],
    ['in mixed case', `t=${SECONDS},v1=${v1().toUpperCase().replace('A', 'a')}`],
    ['after 20 others', `t=${SECONDS}${`,v1=${v1('other')}`.repeat(20)},v1=${v1()}`],
    ['with empty items', `t=${SECONDS},,v1=${v1()}`],
  ])('is refused %s', (_title, header) => {
    expect(judge(header)).toBe('signature_invalid');
  });

  it('is refused in two headers', () => {
    const header = `t=${SECONDS},v1=${v1()}`;
    expect(judge([header, header])).toBe('signature_invalid');
  });
});
