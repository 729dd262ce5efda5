import { VerificationError } from './verification-error.js';

/** Exactly one way to write each number, and none that a double cannot hold. */
const WHOLE_NUMBER = /^(0|[1-9]\d{0,14})$/;

const UNIT_MS = { s: 1000, ms: 1 } as const;
/** The unit that a sender counts its time in. */
export type TimeUnit = keyof typeof UNIT_MS;

/**
 * @param header where the text was read, for the message
 * @returns the text as it is, which is what was signed
 * @throws VerificationError `signature_invalid` when it is no whole number
 */
export function signedTime(text: string, header: string, unit: TimeUnit): string {
  if (WHOLE_NUMBER.test(text)) return text;
  const name = unit === 's' ? 'seconds' : 'milliseconds';
  throw new VerificationError(
    'signature_invalid',
    `The time in the header "${header}" is not a whole number of unix ${name}.`,
  );
}

/**
 * Checked after the signature: only a time that was signed says anything.
 * @param time from `signedTime`
 * @param window the tolerance, both ways, in milliseconds
 * @throws VerificationError `timestamp_out_of_tolerance`
 */
export function assertFresh(
  time: string,
  nowMs: number,
  window: { header: string; unit: TimeUnit; toleranceMs: number },
): void {
  const unitMs = UNIT_MS[window.unit];
  // Our time in the sender's unit, cut as the sender cuts it: else every request would seem half a unit old.
  const ageMs = (Math.floor(nowMs / unitMs) - Number(time)) * unitMs;
  if (Math.abs(ageMs) <= window.toleranceMs) return;
  throw new VerificationError(
    'timestamp_out_of_tolerance',
    `The signed time in the header "${window.header}" is ${Math.abs(ageMs) / 1000} s ${ageMs > 0 ? 'before' : 'after'} ours, ` +
      `and ${window.toleranceMs / 1000} s are tolerated: sign each request anew, and check both clocks.`,
  );
}
