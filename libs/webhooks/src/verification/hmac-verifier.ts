import { anyMatches, decodeDigest } from './digest.js';
import { DIGEST_BYTES, hmacDigest, hmacKey, type HmacScheme } from './hmac-scheme.js';
import { proofHeader } from './request-headers.js';
import { assertFresh, signedTime } from './signed-time.js';
import { signedId } from './signed-id.js';
import { VerificationError } from './verification-error.js';
import type { InboundRequest, Verifier } from './verifier.js';

/**
 * One HMAC in one header: GitHub, Shopify, Slack, and what a source of type `hmac` describes.
 * @throws InvalidVerifierSecretError
 */
export function createHmacVerifier(scheme: HmacScheme, secrets: readonly string[]): Verifier {
  const keys = secrets.map((secret) => hmacKey(secret, scheme));
  return {
    verify({ headers, rawBody }: InboundRequest, nowMs: number): void {
      const { timestamp, id } = scheme;
      const given = readSignature(scheme, proofHeader(headers, ...scheme.headers));
      const values = {
        body: rawBody,
        timestamp: timestamp
          ? signedTime(proofHeader(headers, timestamp.header), timestamp.header, timestamp.unit)
          : '',
        id: id ? signedId(proofHeader(headers, id.header), id.header, id.separators) : '',
      };
      const expected = keys.map((key) => hmacDigest(scheme, key, values));
      if (!anyMatches(expected, [given])) throw new VerificationError('signature_invalid', NO_MATCH);
      if (timestamp) assertFresh(values.timestamp, nowMs, timestamp);
    },
  };
}

/** For a signature that is well written and not ours. */
export const NO_MATCH =
  "The signature is not the body's by any of the source's secrets: check that both sides have the same secret, " +
  'and that nothing on the way changes the body.';

function readSignature(scheme: HmacScheme, value: string): Buffer {
  const { prefix, encoding, algorithm } = scheme;
  const digest = value.startsWith(prefix)
    ? decodeDigest(value.slice(prefix.length), encoding, DIGEST_BYTES[algorithm])
    : undefined;
  if (digest) return digest;
  throw new VerificationError(
    'signature_invalid',
    `The signature must be ${prefix && `"${prefix}" and `}one ${algorithm} digest in ${encoding}.`,
  );
}
