import { truncateUtf8 } from '@quittance/contracts';

const MAX_REASON_BYTES = 4096;
/** Stands where Postgres cannot store the character: its text knows no NUL. */
const REPLACEMENT = '\uFFFD';

/** Text as Postgres can hold it. Lone surrogates need no care: encoding as UTF-8 replaces them. */
export function storable(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', REPLACEMENT) : text;
}

/** As `storable`, where there may be none. */
export function storableOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : storable(text);
}

/** Why something failed, for a person: storable, and not longer than anybody reads. */
export function reason(text: string): string {
  return truncateUtf8(storable(text), MAX_REASON_BYTES);
}

/** By bytes of UTF-8, as Postgres' collation "C": JavaScript compares UTF-16 units, which differs past U+FFFF. */
export function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
