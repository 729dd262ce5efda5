export {
  decodeSigningSecret,
  generateSigningSecret,
  InvalidSigningSecretError,
  signV1,
  webhookHeaders,
  type SigningKey,
  type WebhookHeaders,
} from './signature.js';
export { SecretBox, SecretBoxError, type SecretBoxErrorCode } from './secret-box.js';
export { blockedRange, type AddressPolicy } from './address-policy.js';
export type { Lookup } from './guarded-connector.js';
export { WebhookClient, type WebhookClientOptions, type WebhookRequest } from './webhook-client.js';
export type { WebhookResponse } from './exchange.js';
export { WebhookError, type WebhookErrorCode } from './webhook-error.js';
export { classifyResponse, nextStep, parseRetryAfter } from './retry-policy.js';
export { AddressRanges, EgressPolicy, type EgressRules } from './egress-policy.js';
