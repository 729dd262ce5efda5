import { describe, expect, it } from 'vitest';
import { ratesOf } from './retry-meter.js';

describe('records per second', () => {
  it('are those between samples, however far apart these are', () => {
    const rates = ratesOf([
      { at: 0, written: 500 },
      { at: 1000, written: 500 },
      { at: 2000, written: 900 },
      { at: 4000, written: 1100 },
    ]);
    expect(rates).toEqual({ max: 400, average: 150, each: [0, 400, 100] });
  });

  it('are unknown with a single sample', () => {
    expect(ratesOf([{ at: 0, written: 5 }])).toEqual({ max: Number.NaN, average: Number.NaN, each: [] });
  });
});
