import { HmacKey } from '../hmac-key.js';
import { anyMatches, decodeDigest, MAX_SIGNATURES } from './digest.js';
import { NO_MATCH } from './hmac-verifier.js';
import { proofHeader } from './request-headers.js';
import { assertFresh, signedTime } from './signed-time.js';
import { VerificationError } from './verification-error.js';
import type { InboundRequest, Verifier } from './verifier.js';

const HEADER = 'stripe-signature';
const ITEM = /^([a-z0-9_]{1,20})=([!-~]+)$/;
const SHA256_BYTES = 32;

/**
 * Stripe's `t=<unix seconds>,v1=<hex>[,v1=<hex>]`. Any `v1` counts, other schemes are ignored. The whole secret, with
 * its `whsec_`, is the key.
 */
export function createStripeVerifier(toleranceMs: number, secrets: readonly string[]): Verifier {
  const keys = secrets.map((secret) => new HmacKey('sha256', Buffer.from(secret)));
  const window = { header: HEADER, unit: 's', toleranceMs } as const;
  return {
    verify({ headers, rawBody }: InboundRequest, nowMs: number): void {
      const { time, signatures } = readSignatures(proofHeader(headers, HEADER));
      const expected = keys.map((key) => key.digest(`${time}.`, rawBody));
      if (!anyMatches(expected, signatures)) throw new VerificationError('signature_invalid', NO_MATCH);
      assertFresh(time, nowMs, window);
    },
  };
}

function readSignatures(value: string): { time: string; signatures: Buffer[] } {
  let time: string | undefined;
  const signatures: Buffer[] = [];
  for (const item of value.split(',')) {
    const [, scheme, text] = ITEM.exec(item) ?? [];
    if (scheme === undefined || text === undefined) throw malformed('is not a list of "scheme=value"');
    if (scheme === 't') {
      // Two times could only come from two headers that something joined.
      if (time !== undefined) throw malformed('holds "t=" more than once');
      time = signedTime(text, HEADER, 's');
    } else if (scheme === 'v1') {
      const digest = decodeDigest(text, 'hex', SHA256_BYTES);
      if (digest) signatures.push(digest);
      if (signatures.length > MAX_SIGNATURES) throw malformed(`holds more than ${MAX_SIGNATURES} signatures`);
    }
  }
  if (time === undefined) throw malformed('holds no "t="');
  if (signatures.length === 0) throw malformed('holds no "v1=" with a sha256 digest in hex');
  return { time, signatures };
}

function malformed(fault: string): VerificationError {
  return new VerificationError('signature_invalid', `The header "${HEADER}" ${fault}.`);
}
