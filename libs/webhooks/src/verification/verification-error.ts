/**
 * Why a request is not believed; each is also the `code` of the problem that it is answered with.
 * - `signature_missing`: a header that the proof needs is not there;
 * - `signature_invalid`: the proof is malformed, or not by any of the secrets;
 * - `timestamp_out_of_tolerance`: the proof is right, but older or newer than the replay window.
 */
export type VerificationErrorCode = 'signature_missing' | 'signature_invalid' | 'timestamp_out_of_tolerance';

/**
 * A request that does not prove who sent it. The message may be shown to the sender: it names headers, and never a
 * secret, a header's value or the signature that would have been right.
 */
export class VerificationError extends Error {
  /** Never: the same request stays as wrong as it is. */
  readonly retryable = false;

  constructor(
    readonly code: VerificationErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A secret that the scheme cannot use. The message never repeats it. */
export class InvalidVerifierSecretError extends Error {
  readonly code = 'invalid_verifier_secret';
  readonly retryable = false;
}
