import { randomBytes } from 'node:crypto';
import { Ed25519Key, PUBLIC_BYTES, SEED_BYTES } from './ed25519-key.js';
import { HmacKey } from './hmac-key.js';

const SECRET_PREFIX = 'whsec_';
const ASYMMETRIC_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
const SECRET_BYTES = 32;
// Standard Webhooks 1.0: a symmetric key has between 24 and 64 bytes.
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** A signing secret that is none. The message never repeats it. */
export class InvalidSigningSecretError extends Error {
  readonly code = 'invalid_signing_secret';
  readonly retryable = false;
}

/** The three headers of Standard Webhooks 1.0. A type, not an interface, so that it passes as a record of headers. */
export type WebhookHeaders = {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
};

/** A signing key, ready for use. */
export type SigningKey = HmacKey;

/** A signing key whose signatures are verified with its public key, ready for use. */
export type AsymmetricKey = Ed25519Key;

/** @returns `whsec_` and the base64 of 32 random bytes */
export function generateSigningSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/**
 * The HMAC key that a `whsec_…` secret spells. Decode once and keep the key: it is needed for every attempt.
 * @throws InvalidSigningSecretError when the text is not `whsec_` and the base64 of 24 to 64 bytes
 */
export function decodeSigningSecret(secret: string): SigningKey {
  const key = decodeBase64(secret, SECRET_PREFIX);
  if (key === undefined) {
    throw new InvalidSigningSecretError('A signing secret is "whsec_" followed by base64.');
  }
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) {
    throw new InvalidSigningSecretError(
      `A signing secret holds ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes; this one holds ${key.length}.`,
    );
  }
  return new HmacKey('sha256', key);
}

/** @returns `whsk_` and the base64 of an ed25519 private key of 32 bytes and its public key of 32 */
export function generateAsymmetricSecret(): string {
  const key = Ed25519Key.generate();
  return ASYMMETRIC_PREFIX + Buffer.concat([key.seed(), key.publicKey]).toString('base64');
}

/**
 * The ed25519 key that a `whsk_…` secret spells. Decode once and keep the key: it is needed for every attempt.
 * @throws InvalidSigningSecretError when the text is not `whsk_` and the base64 of a private key and its public key
 */
export function decodeAsymmetricSecret(secret: string): AsymmetricKey {
  const bytes = decodeBase64(secret, ASYMMETRIC_PREFIX);
  if (bytes?.length !== SEED_BYTES + PUBLIC_BYTES) {
    throw new InvalidSigningSecretError(
      'An asymmetric signing secret is "whsk_" followed by the base64 of 64 bytes.',
    );
  }
  const key = Ed25519Key.fromSeed(bytes.subarray(0, SEED_BYTES));
  if (!key.hasPublicKey(bytes.subarray(SEED_BYTES))) {
    throw new InvalidSigningSecretError(
      'The second half of an asymmetric signing secret is the public key of the first; here it is not.',
    );
  }
  return key;
}

/**
 * What a receiver needs to verify `v1a` signatures, and may be published.
 * @param secret `whsk_…`
 * @returns `whpk_` and the base64 of the 32 bytes of the public key
 * @throws InvalidSigningSecretError when the secret is none
 */
export function publicKeyOf(secret: string): string {
  return PUBLIC_PREFIX + decodeAsymmetricSecret(secret).publicKey.toString('base64');
}

/**
 * One Standard Webhooks 1.0 `v1` signature.
 * @param key from `decodeSigningSecret`
 * @param timestampSeconds whole unix seconds of the attempt
 * @param body exactly the bytes that are sent
 * @returns `v1,` and the base64 of the HMAC-SHA256
 */
export function signV1(key: SigningKey, id: string, timestampSeconds: number, body: Uint8Array): string {
  return `v1,${key.digestBase64(`${id}.${timestampSeconds}.`, body)}`;
}

/**
 * One Standard Webhooks 1.0 `v1a` signature, over the same content as `v1`.
 * @param key from `decodeAsymmetricSecret`
 * @param timestampSeconds whole unix seconds of the attempt
 * @param body exactly the bytes that are sent
 * @returns `v1a,` and the base64 of the ed25519 signature
 */
export function signV1a(key: AsymmetricKey, id: string, timestampSeconds: number, body: Uint8Array): string {
  const content = Buffer.concat([Buffer.from(`${id}.${timestampSeconds}.`), body]);
  return `v1a,${key.sign(content).toString('base64')}`;
}

/** One attempt to sign. */
export interface WebhookMessage {
  /** The same over retries. Contains no ".". */
  id: string;
  /** Of the attempt: whole unix seconds. */
  timestampSeconds: number;
  /** Exactly the bytes that are sent. */
  body: Uint8Array;
  /** Each makes a `v1` signature. Newest first. */
  keys: readonly SigningKey[];
  /** Each makes a `v1a` signature. Newest first. */
  asymmetricKeys?: readonly AsymmetricKey[];
}

/**
 * The headers that sign one attempt, with a signature by each key so that receivers can rotate.
 * @throws RangeError when the id or the time would make the signed content ambiguous, or there is no key
 */
export function webhookHeaders(message: WebhookMessage): WebhookHeaders {
  const { id, timestampSeconds, body, keys, asymmetricKeys = [] } = message;
  if (id === '' || id.includes('.')) throw new RangeError('A webhook id is not empty and contains no ".".');
  if (!Number.isSafeInteger(timestampSeconds)) {
    throw new RangeError('A webhook timestamp is a whole number of unix seconds.');
  }
  if (keys.length + asymmetricKeys.length === 0) {
    throw new RangeError('A webhook is signed with at least one key.');
  }
  let signature = '';
  for (const key of keys) {
    if (signature !== '') signature += ' ';
    signature += signV1(key, id, timestampSeconds, body);
  }
  for (const key of asymmetricKeys) {
    if (signature !== '') signature += ' ';
    signature += signV1a(key, id, timestampSeconds, body);
  }
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signature,
  };
}

function decodeBase64(text: string, prefix: string): Buffer | undefined {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : '';
  // Node's decoder skips what is not base64, which would make a key of a mistyped secret.
  return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : undefined;
}
