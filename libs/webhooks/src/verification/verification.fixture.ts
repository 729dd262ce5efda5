import { generateKeyPairSync, sign } from 'node:crypto';
import { sourceVerify, type SourceVerify } from '@quittance/contracts';
import { signSample } from '../providers/sign-sample.js';
import { createVerifier } from './create-verifier.js';
import { VerificationError, type VerificationErrorCode } from './verification-error.js';
import type { InboundRequest } from './verifier.js';

/** A kind of source, and how its sender signs. */
export interface Scheme {
  title: string;
  verify: SourceVerify;
  secret: string;
  /** Of the same form, and not the sender's. */
  otherSecret: string;
  /** A correctly signed request. */
  sign(body: Buffer, nowMs: number, deliveryId: string): InboundRequest;
  /** The header that carries the proof. */
  header: string;
  /** Headers beside it without which there is no proof. */
  furtherHeaders: string[];
  signsBody: boolean;
  signsTime: boolean;
}

const TEXT_SECRET = 'correct-horse-battery-staple';
const OTHER_TEXT_SECRET = 'correct-horse-battery-stapler';

function scheme(
  title: string,
  verify: object,
  header: string,
  options: Partial<Omit<Scheme, 'title' | 'verify' | 'header'>> = {},
): Scheme {
  const parsed = sourceVerify.parse(verify);
  const secret = options.secret ?? TEXT_SECRET;
  return {
    title,
    verify: parsed,
    header,
    otherSecret: OTHER_TEXT_SECRET,
    furtherHeaders: [],
    signsBody: true,
    signsTime: false,
    sign(body, nowMs, deliveryId) {
      const signed = signSample(parsed, secret, { body, contentType: 'application/json', nowMs, deliveryId });
      return { headers: signed.headers, rawBody: signed.body };
    },
    ...options,
    secret,
  };
}

function publicKeyScheme(): Scheme {
  const [own, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
  const publicSecret = (pair: typeof own) =>
    `whpk_${pair.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')}`;
  return scheme('standard-webhooks v1a', { type: 'standard-webhooks' }, 'webhook-signature', {
    secret: publicSecret(own),
    otherSecret: publicSecret(other),
    furtherHeaders: ['webhook-id', 'webhook-timestamp'],
    signsTime: true,
    sign(body, nowMs, id) {
      const seconds = Math.floor(nowMs / 1000);
      const content = Buffer.concat([Buffer.from(`${id}.${seconds}.`), body]);
      const signature = sign(undefined, content, own.privateKey).toString('base64');
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': `v1a,${signature}`,
      };
      return { headers, rawBody: body };
    },
  });
}

/** One of every kind that proves something, and `hmac` with each of its options. */
export const SCHEMES: readonly Scheme[] = [
  scheme('stripe', { type: 'stripe' }, 'stripe-signature', {
    secret: 'whsec_sampleSecretOfStripe',
    signsTime: true,
  }),
  scheme('github', { type: 'github' }, 'x-hub-signature-256'),
  scheme('shopify', { type: 'shopify' }, 'x-shopify-hmac-sha256'),
  scheme('slack', { type: 'slack' }, 'x-slack-signature', {
    furtherHeaders: ['x-slack-request-timestamp'],
    signsTime: true,
  }),
  scheme('standard-webhooks v1', { type: 'standard-webhooks' }, 'webhook-signature', {
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    otherSecret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx',
    furtherHeaders: ['webhook-id', 'webhook-timestamp'],
    signsTime: true,
  }),
  publicKeyScheme(),
  scheme('hmac', { type: 'hmac', header: 'X-Signature' }, 'x-signature'),
  scheme(
    'hmac with sha1, a prefix and a key in hex',
    { type: 'hmac', header: 'X-Sig', algorithm: 'sha1', prefix: 'sha1=', secretEncoding: 'hex' },
    'x-sig',
    { secret: '00ff10a0b0c0d0e0f0a1b2c3', otherSecret: '00ff10a0b0c0d0e0f0a1b2c4' },
  ),
  scheme(
    'hmac with sha512 in base64, id and time in milliseconds',
    {
      type: 'hmac',
      header: 'X-Sig',
      algorithm: 'sha512',
      encoding: 'base64',
      secretEncoding: 'base64',
      content: '{timestamp}:{id}:{body}:v2',
      timestamp: { header: 'X-Time', unit: 'ms', tolerance: '1m' },
      id: { header: 'X-Delivery' },
    },
    'x-sig',
    {
      secret: 'c2VjcmV0IGJ5dGVzIG9mIGEga2V5',
      otherSecret: 'c2VjcmV0IGJ5dGVzIG9mIGEga2V6',
      furtherHeaders: ['x-time', 'x-delivery'],
      signsTime: true,
    },
  ),
  scheme('bearer', { type: 'bearer' }, 'authorization', { signsBody: false }),
  scheme('basic', { type: 'basic', username: 'shop' }, 'authorization', { signsBody: false }),
  scheme('api-key', { type: 'api-key', header: 'X-Key' }, 'x-key', { signsBody: false }),
];

/** @returns the error's code, or `accepted` */
export function verdict(
  verify: SourceVerify,
  secrets: readonly string[],
  request: InboundRequest,
  nowMs: number,
): VerificationErrorCode | 'accepted' {
  try {
    createVerifier(verify, secrets).verify(request, nowMs);
    return 'accepted';
  } catch (error) {
    if (error instanceof VerificationError) return error.code;
    throw error;
  }
}

/** The same request with one bit of one byte of its body changed. */
export function withChangedByte(request: InboundRequest): InboundRequest {
  const rawBody = Buffer.from(request.rawBody);
  const middle = rawBody.length >> 1;
  rawBody[middle] = rawBody[middle]! ^ 1;
  return { headers: request.headers, rawBody };
}
