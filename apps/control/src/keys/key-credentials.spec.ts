import { describe, expect, it } from 'vitest';
import { rotated, type KeyCredentials } from './key-credentials.js';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const HOUR = 3_600_000;

const credential = (id: string): KeyCredentials['credential'] => ({ id, sha256: id.repeat(4) });

describe('the credentials of a key', () => {
  it('keep the one before for the overlap', () => {
    const before = { credential: credential('a'), former: [] };
    expect(rotated(before, credential('b'), HOUR, NOW)).toEqual({
      credential: credential('b'),
      former: [{ ...credential('a'), validUntil: '2026-03-01T13:00:00.000Z' }],
    });
  });

  it('are one only without overlap', () => {
    const before = { credential: credential('a'), former: [] };
    expect(rotated(before, credential('b'), 0, NOW)).toEqual({ credential: credential('b'), former: [] });
  });

  it('are the newest six, without those whose time is over', () => {
    let credentials: KeyCredentials = { credential: credential('0'), former: [] };
    for (let round = 1; round <= 7; round++) {
      credentials = rotated(credentials, credential(String(round)), HOUR, NOW + round);
    }
    expect(credentials.former.map(({ id }) => id)).toEqual(['6', '5', '4', '3', '2']);
    const later = rotated(credentials, credential('8'), HOUR, NOW + HOUR + 6);
    expect(later.former.map(({ id }) => id)).toEqual(['7', '6']);
  });
});
