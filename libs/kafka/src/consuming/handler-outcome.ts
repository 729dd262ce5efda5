import { UnreadableRecordError, type OutgoingRecord } from '@quittance/contracts';

/**
 * What a handler made of a record; it alone decides what happens to the offset. In every case what is to be
 * written is acknowledged first, and the offset finished after that.
 */
export type HandlerOutcome = {
  kind: 'done' | 'dead';
  /** Work passed on: written only while the assignment under which the record was read is current. */
  onward: readonly OutgoingRecord[];
  /** What happened, for the record: written in any case, since it did happen. */
  ledger: readonly OutgoingRecord[];
  /** Why it is a dead letter; only with `dead`. */
  death?: { code: string; reason: string };
};

const NONE: readonly OutgoingRecord[] = [];

/** The record is dealt with: `onward` carries what follows from it, such as its retry. */
export function done(
  extra: { onward?: readonly OutgoingRecord[]; ledger?: readonly OutgoingRecord[] } = {},
): HandlerOutcome {
  return { kind: 'done', onward: extra.onward ?? NONE, ledger: extra.ledger ?? NONE };
}

/**
 * The record is given up: it goes to the dead-letter topic with its bytes and headers as they are.
 * @param code stable, for programs
 * @param reason for a person
 */
export function deadLetter(
  code: string,
  reason: string,
  extra: { ledger?: readonly OutgoingRecord[] } = {},
): HandlerOutcome {
  return { kind: 'dead', onward: NONE, ledger: extra.ledger ?? NONE, death: { code, reason } };
}

/**
 * What a handler's error means, by its own data: a record that cannot be read, or an error that says that
 * trying again is in vain, is a dead letter. Everything else is tried again in place: nothing is lost.
 * @returns `undefined`: try again
 */
export function outcomeOfError(error: unknown): HandlerOutcome | undefined {
  if (error instanceof UnreadableRecordError) return deadLetter(error.code, error.message);
  if (error instanceof Error && 'retryable' in error && error.retryable === false) {
    return deadLetter('code' in error ? String(error.code) : 'handler_failed', error.message);
  }
  return undefined;
}
