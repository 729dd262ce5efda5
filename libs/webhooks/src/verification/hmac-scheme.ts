import { parseDuration, type SourceVerify } from '@quittance/contracts';
import { HmacKey, type HmacAlgorithm } from '../hmac-key.js';
import { decodeExactly, type DigestEncoding } from './digest.js';
import { InvalidVerifierSecretError } from './verification-error.js';
import type { TimeUnit } from './signed-time.js';

/** Of the kinds of verification, those that put one HMAC into one header. */
export type HmacVerify = Extract<SourceVerify, { type: 'github' | 'shopify' | 'slack' | 'hmac' }>;

export const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 } as const satisfies Record<
  HmacAlgorithm,
  number
>;

/** A piece of the signed content. */
type ContentPart = { text: string } | { value: 'body' | 'timestamp' | 'id' };

/** Where the HMAC is, and over what. Header names are in lower case. */
export interface HmacScheme {
  /** Any of these carries the signature. */
  headers: readonly [string, ...string[]];
  algorithm: HmacAlgorithm;
  encoding: DigestEncoding;
  prefix: string;
  content: readonly ContentPart[];
  secretEncoding: 'utf8' | 'hex' | 'base64';
  timestamp?: { header: string; unit: TimeUnit; toleranceMs: number };
  /** Only where the id is signed. */
  id?: {
    header: string;
    /**
     * What stands between the id and the next value. An id that holds it could be cut elsewhere, and the rest pass for
     * another time or body under the same signature.
     */
    separators: readonly string[];
  };
}

/** What a signature covers. */
export interface SignedValues {
  body: Uint8Array;
  timestamp: string;
  id: string;
}

/** The scheme that GitHub, Shopify and Slack have fixed, and that a source of type `hmac` describes. */
export function hmacScheme(verify: HmacVerify): HmacScheme {
  switch (verify.type) {
    case 'github':
      return { ...PLAIN, headers: ['x-hub-signature-256'], prefix: 'sha256=' };
    case 'shopify':
      return { ...PLAIN, headers: ['x-shopify-hmac-sha256', 'shopify-hmac-sha256'], encoding: 'base64' };
    case 'slack':
      return {
        ...PLAIN,
        headers: ['x-slack-signature'],
        prefix: 'v0=',
        content: parseContent('v0:{timestamp}:{body}'),
        timestamp: {
          header: 'x-slack-request-timestamp',
          unit: 's',
          toleranceMs: parseDuration(verify.tolerance),
        },
      };
    case 'hmac': {
      const { header, algorithm, encoding, prefix, secretEncoding, timestamp } = verify;
      const content = parseContent(verify.content);
      const signsId = content.some(isId);
      return {
        headers: [header.toLowerCase()],
        algorithm,
        encoding,
        prefix,
        content,
        secretEncoding,
        ...(timestamp && {
          timestamp: {
            header: timestamp.header.toLowerCase(),
            unit: timestamp.unit,
            toleranceMs: parseDuration(timestamp.tolerance),
          },
        }),
        ...(verify.id &&
          signsId && { id: { header: verify.id.header.toLowerCase(), separators: separators(content) } }),
      };
    }
  }
}

const PLAIN = {
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: '',
  content: [{ value: 'body' }],
  secretEncoding: 'utf8',
} as const satisfies Partial<HmacScheme>;

function parseContent(template: string): ContentPart[] {
  return template
    .split(/(\{(?:body|timestamp|id)\})/)
    .filter((text) => text !== '')
    .map((text) => {
      const name = text.slice(1, -1);
      const isValue = text.startsWith('{') && (name === 'body' || name === 'timestamp' || name === 'id');
      return isValue ? { value: name } : { text };
    });
}

function isId(part: ContentPart): boolean {
  return 'value' in part && part.value === 'id';
}

/** The texts beside an id that have a value on their other side. */
function separators(content: readonly ContentPart[]): string[] {
  return content.flatMap((part, index) => {
    if (!('text' in part)) return [];
    const [before, after] = [content[index - 1], content[index + 1]];
    return before && after && (isId(before) || isId(after)) ? [part.text] : [];
  });
}

/**
 * The key that a secret spells.
 * @throws InvalidVerifierSecretError when it is not written as `secretEncoding` says
 */
export function hmacKey(
  secret: string,
  { algorithm, secretEncoding: encoding }: Pick<HmacScheme, 'algorithm' | 'secretEncoding'>,
): HmacKey {
  if (encoding === 'utf8') return new HmacKey(algorithm, Buffer.from(secret));
  const bytes = decodeExactly(encoding === 'hex' ? secret.toLowerCase() : secret, encoding);
  if (!bytes) {
    const written = encoding === 'hex' ? 'hex: pairs of 0-9 and a-f' : 'base64, with its padding';
    throw new InvalidVerifierSecretError(
      `The secret must be ${written}; or choose another "secretEncoding".`,
    );
  }
  return new HmacKey(algorithm, bytes);
}

/** One digest over the scheme's content. */
export function hmacDigest(scheme: HmacScheme, key: HmacKey, values: SignedValues): Buffer {
  return key.digest(...scheme.content.map((part) => ('text' in part ? part.text : values[part.value])));
}
