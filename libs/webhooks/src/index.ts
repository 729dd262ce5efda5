export {
  decodeAsymmetricSecret,
  decodeSigningSecret,
  generateAsymmetricSecret,
  generateSigningSecret,
  InvalidSigningSecretError,
  publicKeyOf,
  signV1,
  signV1a,
  webhookHeaders,
  type AsymmetricKey,
  type SigningKey,
  type WebhookHeaders,
  type WebhookMessage,
} from './signature.js';
export { SecretBox, SecretBoxError, type SecretBoxErrorCode } from './secret-box.js';
export { blockedRange, type AddressPolicy } from './address-policy.js';
export type { Lookup, NameResolverOptions } from './name-resolver.js';
export { WebhookClient, type WebhookClientOptions, type WebhookRequest } from './webhook-client.js';
export type { WebhookResponse } from './exchange.js';
export { WebhookError, type WebhookErrorCode } from './webhook-error.js';
export {
  classifyResponse,
  isOutage,
  nextStep,
  parseRetryAfter,
  stepFor,
  type NextAttempt,
} from './retry-policy.js';
export { AddressRanges, EgressPolicy, type EgressRules } from './egress-policy.js';
export { checkVerifierSecrets, createVerifier } from './verification/create-verifier.js';
export {
  InvalidVerifierSecretError,
  VerificationError,
  type VerificationErrorCode,
} from './verification/verification-error.js';
export type { InboundRequest, Verifier } from './verification/verifier.js';
export { providerFacts, type ProviderFacts } from './providers/provider-facts.js';
export { sampleBody, type SampleBody } from './providers/sample-body.js';
export {
  signSample,
  UnsignableSampleError,
  type Sample,
  type SampleRequest,
} from './providers/sign-sample.js';
