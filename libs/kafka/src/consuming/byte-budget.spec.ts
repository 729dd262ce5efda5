import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.js';

describe('ByteBudget', () => {
  it('refuses what exceeds it and calls back once there is room', () => {
    const budget = new ByteBudget(100);
    let called = 0;
    expect(budget.take(60, () => called++)).toBe(true);
    expect(budget.take(60, () => called++)).toBe(false);
    budget.give(60);
    expect(called).toBe(1);
    expect(budget.inUse).toBe(0);
  });

  it('lets one record through however large it is', () => {
    expect(new ByteBudget(10).take(1000, () => undefined)).toBe(true);
  });
});
