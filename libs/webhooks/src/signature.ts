import { randomBytes } from 'node:crypto';
import { HmacKey } from './hmac-key.js';

const SECRET_PREFIX = 'whsec_';
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

/** @returns `whsec_` and the base64 of 32 random bytes */
export function generateSigningSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/**
 * The HMAC key that a `whsec_…` secret spells. Decode once and keep the key: it is needed for every attempt.
 * @throws InvalidSigningSecretError when the text is not `whsec_` and the base64 of 24 to 64 bytes
 */
export function decodeSigningSecret(secret: string): SigningKey {
  const encoded = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : undefined;
  // Node's decoder skips what is not base64, which would make a key of a mistyped secret.
  if (encoded === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
    throw new InvalidSigningSecretError('A signing secret is "whsec_" followed by base64.');
  }
  const key = Buffer.from(encoded, 'base64');
  if (key.length < MIN_KEY_BYTES || key.length > MAX_KEY_BYTES) {
    throw new InvalidSigningSecretError(
      `A signing secret holds ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes; this one holds ${key.length}.`,
    );
  }
  return new HmacKey('sha256', key);
}

/**
 * One Standard Webhooks 1.0 `v1` signature.
 * @param key from `decodeSigningSecret`
 * @param timestampSeconds whole unix seconds of the attempt
 * @param body exactly the bytes that are sent
 * @returns `v1,` and the base64 of the HMAC-SHA256
 */
export function signV1(key: SigningKey, id: string, timestampSeconds: number, body: Uint8Array): string {
  return `v1,${key.digest(`${id}.${timestampSeconds}.`, body).toString('base64')}`;
}

/**
 * The headers that sign one attempt, with a signature by each key so that receivers can rotate.
 * @param message `id` is the same over retries; `timestampSeconds` is that of the attempt; `keys`, newest first
 * @throws RangeError when the id or the time would make the signed content ambiguous, or there is no key
 */
export function webhookHeaders(message: {
  id: string;
  timestampSeconds: number;
  body: Uint8Array;
  keys: readonly SigningKey[];
}): WebhookHeaders {
  const { id, timestampSeconds, body, keys } = message;
  if (id === '' || id.includes('.')) throw new RangeError('A webhook id is not empty and contains no ".".');
  if (!Number.isSafeInteger(timestampSeconds)) {
    throw new RangeError('A webhook timestamp is a whole number of unix seconds.');
  }
  if (keys.length === 0) throw new RangeError('A webhook is signed with at least one key.');
  let signature = '';
  for (const key of keys) {
    if (signature !== '') signature += ' ';
    signature += signV1(key, id, timestampSeconds, body);
  }
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signature,
  };
}
