import { describe, expect, it } from 'vitest';
import { bestHome, freeHome, type PartitionUse } from './home-choice.js';

const use = (partition: number, homes: number, more: Partial<PartitionUse> = {}): PartitionUse => ({
  partition,
  homes,
  isStrict: false,
  isBeingLeft: false,
  ...more,
});

describe('the choice of a home', () => {
  it('is the first partition that nobody uses', () => {
    const uses = [use(0, 1), use(1, 0), use(2, 0)];
    expect(freeHome(uses)).toBe(1);
    expect(bestHome(uses, false)).toBe(1);
    expect(bestHome(uses, true)).toBe(1);
  });

  it('is the least used one where none is free, and the first of those', () => {
    expect(bestHome([use(0, 3), use(1, 2), use(2, 2)], false)).toBe(1);
  });

  it('is never shared with strict order', () => {
    expect(bestHome([use(0, 1, { isStrict: true }), use(1, 5)], false)).toBe(1);
    expect(bestHome([use(0, 1, { isStrict: true })], false)).toBeUndefined();
    expect(bestHome([use(0, 1), use(1, 1)], true)).toBeUndefined();
  });

  it('is none that somebody moves away from', () => {
    expect(bestHome([use(0, 1, { isBeingLeft: true }), use(1, 4)], false)).toBe(1);
    expect(bestHome([use(0, 1, { isBeingLeft: true })], false)).toBeUndefined();
  });
});
