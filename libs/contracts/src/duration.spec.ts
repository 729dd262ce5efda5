import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.js';

describe('A duration', () => {
  it.each([
    [0, '0s'],
    [250, '250ms'],
    [999.4, '999ms'],
    [15_000, '15s'],
    [90_000, '1m 30s'],
    [5_400_000, '1h 30m'],
    [160_535_000, '44h 35m 35s'],
    [432_000_000, '5d'],
    [442_860_000, '5d 3h 1m'],
    [59_999.6, '1m'],
  ])('of %d ms is told as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is cut to the units that are asked for', () => {
    expect(formatDuration(160_535_000, 2)).toBe('44h 35m');
    expect(formatDuration(160_535_000, 1)).toBe('44h');
    expect(formatDuration(3_605_000, 1)).toBe('1h');
  });

  it('of one unit is read as it is written', () => {
    for (const text of ['250ms', '15s', '30m', '2h', '12h', '5d']) {
      expect(formatDuration(parseDuration(text))).toBe(text);
    }
  });
});
