import type { IncomingHttpHeaders } from 'node:http';
import { VerificationError } from './verification-error.js';

/** The longest that any scheme needs: basic credentials of 255 and 1,024 characters outside ASCII, in base64. */
const MAX_LENGTH = 8192;

/**
 * The one value of a header that a proof needs.
 * @param names in lower case; the first one that is present counts
 * @throws VerificationError `signature_missing`, or `signature_invalid` when it is repeated or too long
 */
export function proofHeader(headers: IncomingHttpHeaders, ...names: readonly string[]): string {
  // A source chooses its header's name: "constructor" must not find what every object inherits.
  const name = names.find((candidate) => Object.hasOwn(headers, candidate) && headers[candidate] !== '');
  const value = name === undefined ? undefined : headers[name];
  if (name === undefined || value === undefined) {
    const wanted = names.map((candidate) => `"${candidate}"`).join(' or ');
    throw new VerificationError(
      'signature_missing',
      `The header ${wanted} is missing: send it as the source's verification demands.`,
    );
  }
  // Node.js joins most repeated headers with ", ", which no scheme takes for a proof; the others come as an array.
  if (typeof value !== 'string') {
    throw new VerificationError('signature_invalid', `The header "${name}" is repeated: send it once.`);
  }
  if (value.length > MAX_LENGTH) {
    throw new VerificationError(
      'signature_invalid',
      `The header "${name}" is longer than ${MAX_LENGTH} characters.`,
    );
  }
  return value;
}
