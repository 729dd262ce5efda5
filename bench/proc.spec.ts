import { describe, expect, it } from 'vitest';
import { parseStat } from './proc.js';

describe('parseStat', () => {
  it('adds up the times of a process and its ended children, whatever its name', () => {
    const text =
      '4242 (a (b) c) S 1 4242 4242 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 7 0 98765 1000000 500 18446744073709551615';
    expect(parseStat(text)).toEqual({ ticks: 110, startedAt: 98_765 });
  });
});
