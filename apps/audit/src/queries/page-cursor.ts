import { createHash } from 'node:crypto';
import { Problem } from '@quittance/contracts';

/** Where a page ended: the time of its last row, and what tells rows of the same millisecond apart. */
export interface PageEnd {
  /** Epoch milliseconds. */
  at: number;
  tie: string;
}

const CHECK_LENGTH = 12;

/** A cursor belongs to its list and namespace. The check finds accidents, and keeps clients from making their own. */
function check(scope: string, payload: string): string {
  return createHash('sha256').update(`${scope}\n${payload}`).digest('base64url').slice(0, CHECK_LENGTH);
}

/** @param scope the list and its namespace */
export function encodeCursor(scope: string, end: PageEnd): string {
  const payload = Buffer.from(`${end.at}:${end.tie}`).toString('base64url');
  return `${check(scope, payload)}${payload}`;
}

/** @throws Problem `invalid_cursor` */
export function decodeCursor(scope: string, cursor: string): PageEnd {
  const payload = cursor.slice(CHECK_LENGTH);
  const match = /^(\d{1,15}):([\w-]{1,64})$/.exec(Buffer.from(payload, 'base64url').toString());
  if (!match || check(scope, payload) !== cursor.slice(0, CHECK_LENGTH)) {
    throw new Problem(
      'invalid_cursor',
      'Use the "nextCursor" of the page before, unchanged, on the same list.',
    );
  }
  return { at: Number(match[1]), tie: match[2]! };
}
