import { createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto';
import { decodeSigningSecret, InvalidSigningSecretError } from '../signature.js';
import type { HmacKey } from '../hmac-key.js';
import { anyMatches, decodeDigest, decodeExactly, MAX_SIGNATURES } from './digest.js';
import { NO_MATCH } from './hmac-verifier.js';
import { proofHeader } from './request-headers.js';
import { signedId } from './signed-id.js';
import { assertFresh, signedTime } from './signed-time.js';
import { InvalidVerifierSecretError, VerificationError } from './verification-error.js';
import type { InboundRequest, Verifier } from './verifier.js';

const ID_HEADER = 'webhook-id';
const TIME_HEADER = 'webhook-timestamp';
const SIGNATURE_HEADER = 'webhook-signature';

/** Before a public key in a source's secrets: it verifies, and cannot sign. */
export const PUBLIC_KEY_PREFIX = 'whpk_';
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = { v1: 32, v1a: 64 } as const;
/** Of `v1a`: each costs a pass over the whole body for each key, which a stranger must not multiply. */
const MAX_PUBLIC_KEY_SIGNATURES = 4;
const ENTRY = /^([a-z0-9]{1,20}),([^\s,]+)$/;

/**
 * Standard Webhooks 1.0: `v1` by secrets `whsec_…`, `v1a` by public keys `whpk_…`. Any signature counts; other versions
 * are ignored.
 * @throws InvalidVerifierSecretError
 */
export function createStandardWebhooksVerifier(toleranceMs: number, secrets: readonly string[]): Verifier {
  const isPublic = (secret: string) => secret.startsWith(PUBLIC_KEY_PREFIX);
  const publicKeys = secrets.filter(isPublic).map(decodePublicKey);
  const keys = secrets.filter((secret) => !isPublic(secret)).map(decodeSecret);
  const window = { header: TIME_HEADER, unit: 's', toleranceMs } as const;
  return {
    verify({ headers, rawBody }: InboundRequest, nowMs: number): void {
      const { v1, v1a } = readSignatures(proofHeader(headers, SIGNATURE_HEADER));
      const id = signedId(proofHeader(headers, ID_HEADER), ID_HEADER, ['.']);
      const time = signedTime(proofHeader(headers, TIME_HEADER), TIME_HEADER, 's');
      const start = `${id}.${time}.`;
      const expected = keys.map((key) => key.digest(start, rawBody));
      const proven = anyMatches(expected, v1) || anyVerifies(publicKeys, v1a, start, rawBody);
      if (!proven) throw new VerificationError('signature_invalid', NO_MATCH);
      assertFresh(time, nowMs, window);
    },
  };
}

/** Public keys and signatures are no secrets: the first match ends the search. */
function anyVerifies(
  keys: readonly KeyObject[],
  signatures: readonly Buffer[],
  start: string,
  body: Buffer,
): boolean {
  if (keys.length === 0 || signatures.length === 0) return false;
  // Ed25519 reads what it signs twice, so it cannot be fed piece by piece.
  const content = Buffer.concat([Buffer.from(start), body]);
  return keys.some((key) =>
    signatures.some((signature) => verifySignature(undefined, content, key, signature)),
  );
}

function readSignatures(value: string): Record<'v1' | 'v1a', Buffer[]> {
  const found: Record<'v1' | 'v1a', Buffer[]> = { v1: [], v1a: [] };
  for (const item of value.split(' ')) {
    const [, version, text] = ENTRY.exec(item) ?? [];
    if (version === undefined || text === undefined) {
      throw malformed('is not a list of "version,signature" with a space between each two');
    }
    if (version !== 'v1' && version !== 'v1a') continue;
    const signature = decodeDigest(text, 'base64', SIGNATURE_BYTES[version]);
    if (signature) found[version].push(signature);
  }
  const { v1, v1a } = found;
  if (v1.length > MAX_SIGNATURES || v1a.length > MAX_PUBLIC_KEY_SIGNATURES) {
    throw malformed(
      `holds more than ${MAX_SIGNATURES} "v1" or ${MAX_PUBLIC_KEY_SIGNATURES} "v1a" signatures`,
    );
  }
  if (v1.length + v1a.length === 0) throw malformed('holds no "v1" or "v1a" signature in padded base64');
  return found;
}

/**
 * The HMAC key that a secret `whsec_…` spells.
 * @throws InvalidVerifierSecretError
 */
export function decodeSecret(secret: string): HmacKey {
  try {
    return decodeSigningSecret(secret);
  } catch (error) {
    if (!(error instanceof InvalidSigningSecretError)) throw error;
    throw new InvalidVerifierSecretError(
      'The secret must be "whsec_" and the base64 of 24 to 64 bytes, or the public key "whpk_" and the base64 of 32 bytes.',
    );
  }
}

function decodePublicKey(secret: string): KeyObject {
  const bytes = decodeExactly(secret.slice(PUBLIC_KEY_PREFIX.length), 'base64');
  if (bytes?.length !== PUBLIC_KEY_BYTES) {
    throw new InvalidVerifierSecretError(
      'The public key must be "whpk_" and the base64 of 32 bytes, with its padding.',
    );
  }
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') },
    format: 'jwk',
  });
}

function malformed(fault: string): VerificationError {
  return new VerificationError('signature_invalid', `The header "${SIGNATURE_HEADER}" ${fault}.`);
}
