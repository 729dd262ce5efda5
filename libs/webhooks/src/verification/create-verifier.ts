import { parseDuration, type SourceVerify } from '@quittance/contracts';
import { hmacScheme } from './hmac-scheme.js';
import { createHmacVerifier } from './hmac-verifier.js';
import { createSharedSecretVerifier, sharedSecretScheme } from './shared-secret.js';
import { createStandardWebhooksVerifier } from './standard-webhooks.js';
import { createStripeVerifier } from './stripe.js';
import { InvalidVerifierSecretError } from './verification-error.js';
import type { Verifier } from './verifier.js';

/** Any of these secrets counts, so that one can be replaced by the other. */
type Secrets = readonly string[];
type VerifyByType = { [V in SourceVerify as V['type']]: V };
type Factories = { [T in keyof VerifyByType]: (verify: VerifyByType[T], secrets: Secrets) => Verifier };

const FACTORIES: Factories = {
  stripe: (verify, secrets) => createStripeVerifier(parseDuration(verify.tolerance), secrets),
  github: (verify, secrets) => createHmacVerifier(hmacScheme(verify), secrets),
  shopify: (verify, secrets) => createHmacVerifier(hmacScheme(verify), secrets),
  slack: (verify, secrets) => createHmacVerifier(hmacScheme(verify), secrets),
  'standard-webhooks': (verify, secrets) =>
    createStandardWebhooksVerifier(parseDuration(verify.tolerance), secrets),
  hmac: (verify, secrets) => createHmacVerifier(hmacScheme(verify), secrets),
  bearer: (verify, secrets) => createSharedSecretVerifier(sharedSecretScheme(verify), secrets),
  basic: (verify, secrets) => createSharedSecretVerifier(sharedSecretScheme(verify), secrets),
  'api-key': (verify, secrets) => createSharedSecretVerifier(sharedSecretScheme(verify), secrets),
  none: () => ({ verify: () => undefined }),
};

/**
 * The verifier of a source, with its keys prepared: create it once, and again when the source changes.
 * @param secrets in clear; a request counts if it is by any of them. Ignored for `none`
 * @throws InvalidVerifierSecretError when there is no secret, or one that the scheme cannot use
 */
export function createVerifier(verify: SourceVerify, secrets: Secrets): Verifier {
  // Everybody can sign with an empty key.
  if (verify.type !== 'none' && (secrets.length === 0 || secrets.includes(''))) {
    throw new InvalidVerifierSecretError(
      `A source with the verification "${verify.type}" needs at least one secret, and no empty one.`,
    );
  }
  return create(verify.type, verify, secrets);
}

function create<T extends keyof VerifyByType>(type: T, verify: VerifyByType[T], secrets: Secrets): Verifier {
  return FACTORIES[type](verify, secrets);
}

/**
 * What the shape of secrets does not say: that the scheme can use each of them.
 * @returns problems, as JSON pointers into the input's `secrets` (`/verify/0`), without repeating any secret; none when
 *   they can be saved
 */
export function checkVerifierSecrets(
  verify: SourceVerify,
  secrets: Secrets,
): { path: string; message: string }[] {
  return secrets.flatMap((secret, index) => {
    try {
      createVerifier(verify, [secret]);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidVerifierSecretError)) throw error;
      return [{ path: `/verify/${index}`, message: error.message }];
    }
  });
}
