import { describe, expect, it } from 'vitest';
import { distributionOf, median, medianOf, percentile } from './statistics.js';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

  it('is a value of the sample that the share does not exceed', () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([7], 0.01)).toBe(7);
  });

  it('does not hide the worst of a small sample', () => {
    expect(percentile([1, 2, 3, 1000], 0.99)).toBe(1000);
  });
});

describe('distributionOf', () => {
  it('does not need a sorted sample', () => {
    expect(distributionOf([30, 1, 20, 100])).toEqual({ count: 4, p50: 20, p95: 100, p99: 100, max: 100 });
  });

  it('is not a number where there is no sample', () => {
    expect(distributionOf([])).toEqual({ count: 0, p50: NaN, p95: NaN, p99: NaN, max: NaN });
  });
});

describe('medianOf', () => {
  it('takes the middle, and of an even number the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
  });

  it('goes through results figure by figure, whichever run each comes from', () => {
    const runs = [
      { rate: 10, latency: { p50: 3 } },
      { rate: 30, latency: { p50: 1 } },
      { rate: 20, latency: { p50: 2 } },
    ];
    expect(medianOf(runs)).toEqual({ rate: 20, latency: { p50: 2 } });
  });

  it('shows that a figure is missing in one run instead of leaving that run out', () => {
    expect(median([NaN, 1, 2])).toBeNaN();
  });
});
