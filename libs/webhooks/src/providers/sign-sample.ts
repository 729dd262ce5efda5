import { createHmac } from 'node:crypto';
import type { SourceVerify } from '@quittance/contracts';
import { webhookHeaders } from '../signature.js';
import { hmacDigest, hmacKey, hmacScheme, type HmacVerify } from '../verification/hmac-scheme.js';
import { sharedSecretScheme } from '../verification/shared-secret.js';
import { decodeSecret, PUBLIC_KEY_PREFIX } from '../verification/standard-webhooks.js';

/** What is to be sent. */
export interface Sample {
  body: Buffer;
  contentType: string;
  /** The signed time, in epoch milliseconds. */
  nowMs: number;
  /** Goes where the provider's delivery id goes: 1 to 512 visible ASCII characters, without a dot. */
  deliveryId: string;
}

/** A request that the source's verifier accepts. */
export interface SampleRequest {
  /** Names in lower case: content type, delivery id and proof. */
  headers: Record<string, string>;
  body: Buffer;
}

/** A sample that cannot be signed: the source has no secret that signs, only one that verifies. */
export class UnsignableSampleError extends Error {
  readonly code = 'unsignable_sample';
  readonly retryable = false;
}

/**
 * Signs a request as the provider would.
 * @param secret one of the source's; not needed for `none`
 * @throws UnsignableSampleError without a secret, or when it is a public key (`whpk_…`)
 * @throws InvalidVerifierSecretError when the scheme cannot use the secret
 */
export function signSample(verify: SourceVerify, secret: string | undefined, sample: Sample): SampleRequest {
  const headers = { 'content-type': sample.contentType, ...proof(verify, secret, sample) };
  return { headers, body: sample.body };
}

function proof(verify: SourceVerify, secret: string | undefined, sample: Sample): Record<string, string> {
  if (verify.type === 'none') return {};
  if (secret === undefined)
    throw new UnsignableSampleError('The source has no secret to sign a sample with.');
  const seconds = Math.floor(sample.nowMs / 1000);
  switch (verify.type) {
    case 'stripe': {
      const signature = createHmac('sha256', secret).update(`${seconds}.`).update(sample.body).digest('hex');
      return { 'stripe-signature': `t=${seconds},v1=${signature}` };
    }
    case 'github':
      return { 'x-github-delivery': sample.deliveryId, ...hmacProof(verify, secret, sample) };
    case 'shopify':
      return { 'x-shopify-webhook-id': sample.deliveryId, ...hmacProof(verify, secret, sample) };
    case 'slack':
    case 'hmac':
      return hmacProof(verify, secret, sample);
    case 'standard-webhooks':
      return standardProof(secret, seconds, sample);
    case 'bearer':
    case 'basic':
    case 'api-key': {
      const { header, prefix, credential } = sharedSecretScheme(verify);
      return { [header]: prefix + credential(secret) };
    }
  }
}

function hmacProof(verify: HmacVerify, secret: string, sample: Sample): Record<string, string> {
  const scheme = hmacScheme(verify);
  const timestamp = String(scheme.timestamp?.unit === 'ms' ? sample.nowMs : Math.floor(sample.nowMs / 1000));
  const values = { body: sample.body, timestamp, id: sample.deliveryId };
  const digest = hmacDigest(scheme, hmacKey(secret, scheme), values);
  const idHeader = verify.type === 'hmac' ? verify.id?.header.toLowerCase() : undefined;
  return {
    ...(scheme.timestamp && { [scheme.timestamp.header]: timestamp }),
    ...(idHeader !== undefined && { [idHeader]: sample.deliveryId }),
    [scheme.headers[0]]: scheme.prefix + digest.toString(scheme.encoding),
  };
}

function standardProof(secret: string, timestampSeconds: number, sample: Sample): Record<string, string> {
  if (secret.startsWith(PUBLIC_KEY_PREFIX)) {
    throw new UnsignableSampleError('A public key (whpk_…) only verifies: only its owner can sign a sample.');
  }
  const keys = [decodeSecret(secret)];
  return webhookHeaders({ id: sample.deliveryId, timestampSeconds, body: sample.body, keys });
}
