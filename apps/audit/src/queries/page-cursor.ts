import { createHash } from 'node:crypto';
import { Problem } from '@quittance/contracts';
import type { Page } from './views.js';

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

/**
 * The page that was asked for, of rows of which one more was read than it holds: that tells whether there is a next one.
 * @param scope the list and its namespace
 * @param endOf where a page ends that has this row as its last
 */
export function cutPage<Row, Item>(
  rows: readonly Row[],
  { scope, limit }: { scope: string; limit: number },
  toItem: (row: Row) => Item,
  endOf: (row: Row) => PageEnd,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return {
    items: shown.map(toItem),
    ...(last !== undefined && { nextCursor: encodeCursor(scope, endOf(last)) }),
  };
}
