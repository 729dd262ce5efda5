import { Problem } from '@quittance/contracts';

/** Opaque to clients: the name after which the next page begins, marked as ours. */
export function encodeCursor(lastName: string): string {
  return Buffer.from(`n:${lastName}`).toString('base64url');
}

/** @throws Problem `invalid_cursor` */
export function decodeCursor(cursor: string): string {
  const text = cursor.length <= 512 ? Buffer.from(cursor, 'base64url').toString() : '';
  if (!text.startsWith('n:') || encodeCursor(text.slice(2)) !== cursor) {
    throw new Problem('invalid_cursor', 'Use the "nextCursor" of the page before, unchanged.');
  }
  return text.slice(2);
}
