import { createHash } from 'node:crypto';
import type { SourceVerify } from '@quittance/contracts';
import { anyMatches } from './digest.js';
import { proofHeader } from './request-headers.js';
import { InvalidVerifierSecretError, VerificationError } from './verification-error.js';
import type { InboundRequest, Verifier } from './verifier.js';

/** Of the kinds of verification, those where the sender shows the secret itself. */
export type SharedSecretVerify = Extract<SourceVerify, { type: 'bearer' | 'basic' | 'api-key' }>;

/** Printable ASCII without a space at either end: what a header carries unchanged from every client. */
const HEADER_TEXT = /^[!-~]([ -~]*[!-~])?$/;

/** Where the sender shows the secret, and what stands there. */
export interface SharedSecretScheme {
  /** In lower case. */
  header: string;
  /** Before the credential, in any case: `Bearer `, `Basic `, or nothing. */
  prefix: string;
  /** What follows it, for that secret. */
  credential(secret: string): string;
}

export function sharedSecretScheme(verify: SharedSecretVerify): SharedSecretScheme {
  switch (verify.type) {
    case 'bearer':
      return { header: 'authorization', prefix: 'Bearer ', credential: headerText };
    case 'basic':
      return {
        header: 'authorization',
        prefix: 'Basic ',
        // RFC 7617, and UTF-8 as its charset. Compared as it is written, so there is nothing to decode.
        credential: (secret) => Buffer.from(`${verify.username}:${secret}`).toString('base64'),
      };
    case 'api-key':
      return { header: verify.header.toLowerCase(), prefix: '', credential: headerText };
  }
}

/**
 * Bearer token, basic credentials or API key. Compared as SHA-256 digests: they have the same length, whatever the
 * secret's is.
 * @throws InvalidVerifierSecretError
 */
export function createSharedSecretVerifier(scheme: SharedSecretScheme, secrets: readonly string[]): Verifier {
  const expected = secrets.map((secret) => sha256(scheme.credential(secret)));
  return {
    verify({ headers }: InboundRequest): void {
      const value = proofHeader(headers, scheme.header);
      const { prefix } = scheme;
      if (value.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) {
        throw new VerificationError(
          'signature_invalid',
          `The header "${scheme.header}" must begin with "${prefix}".`,
        );
      }
      if (anyMatches(expected, [sha256(value.slice(prefix.length))])) return;
      throw new VerificationError(
        'signature_invalid',
        `The header "${scheme.header}" does not show one of the source's secrets: check that both sides have the same.`,
      );
    },
  };
}

function headerText(secret: string): string {
  if (HEADER_TEXT.test(secret)) return secret;
  throw new InvalidVerifierSecretError(
    'The secret must be printable ASCII without a space at either end: it is sent as it is, in a header.',
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
