import { timingSafeEqual } from 'node:crypto';

/** Signatures that are looked at in one header. Senders put two there while they rotate a secret. */
export const MAX_SIGNATURES = 20;

/** How a digest is written in a header. */
export type DigestEncoding = 'hex' | 'base64';

/**
 * Reads a digest that is written in exactly one of its ways: Node.js's own decoders skip what they do not know, so
 * that many texts would pass for the same digest. Hex may be in capitals.
 * @returns undefined when the text is not that many bytes
 */
export function decodeDigest(text: string, encoding: DigestEncoding, byteLength: number): Buffer | undefined {
  // The length first: nothing is decoded that cannot be a digest.
  const length = encoding === 'hex' ? byteLength * 2 : Math.ceil(byteLength / 3) * 4;
  const bytes = text.length === length ? decodeExactly(text, encoding) : undefined;
  // Base64 of the same length can hold up to two bytes more or less.
  return bytes?.length === byteLength ? bytes : undefined;
}

/** Bytes in hex or padded base64; undefined for every other text. */
export function decodeExactly(text: string, encoding: DigestEncoding): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  const canonical = bytes.toString(encoding);
  return canonical === text || (encoding === 'hex' && canonical.toUpperCase() === text) ? bytes : undefined;
}

/**
 * Compares in constant time, and every pair, so that the time does not tell which one matched.
 * @param expected by each secret
 * @param given of the same length as those
 */
export function anyMatches(expected: readonly Buffer[], given: readonly Buffer[]): boolean {
  let matched = false;
  for (const digest of expected) {
    for (const candidate of given) matched = timingSafeEqual(digest, candidate) || matched;
  }
  return matched;
}
