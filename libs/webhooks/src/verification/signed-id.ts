import { VerificationError } from './verification-error.js';

/** What can be the id of an event: visible ASCII, so that no two ways to decode a header tell it differently. */
const ID = /^[!-~]{1,512}$/;

/** @returns whether the text can be used as an event's id as it is */
export function isDeliveryId(text: unknown): text is string {
  return typeof text === 'string' && ID.test(text);
}

/**
 * @param header where the id was read, for the message
 * @param separators what it must not contain, because the signed content would then have two readings
 * @throws VerificationError `signature_invalid`
 */
export function signedId(text: string, header: string, separators: readonly string[]): string {
  const separator = separators.find((each) => text.includes(each));
  if (separator !== undefined) {
    throw new VerificationError(
      'signature_invalid',
      `The id in the header "${header}" must not contain "${separator}", which separates what is signed.`,
    );
  }
  if (!isDeliveryId(text)) {
    throw new VerificationError(
      'signature_invalid',
      `The id in the header "${header}" must be 1 to 512 visible ASCII characters.`,
    );
  }
  return text;
}
