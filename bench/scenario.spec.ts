import { describe, expect, it } from 'vitest';
import { search } from './scenario.js';

/** A system that keeps up with up to `capacity` events a second. */
function systemOf(capacity: number) {
  const tried: number[] = [];
  return {
    tried,
    attempt: (rate: number) => {
      tried.push(rate);
      return Promise.resolve({ sustained: rate <= capacity });
    },
  };
}

describe('the search for the highest sustained rate', () => {
  it('ends close below the capacity, wherever it began', async () => {
    for (const capacity of [60, 700, 1000, 2300, 9000]) {
      const rate = await search(1000, systemOf(capacity).attempt);
      expect(rate).toBeLessThanOrEqual(capacity);
      expect(rate).toBeGreaterThan(capacity * 0.88);
    }
  });

  it('takes few attempts', async () => {
    const system = systemOf(2000);
    await search(1000, system.attempt);
    expect(system.tried.length).toBeLessThanOrEqual(6);
  });

  it('gives up on a system that keeps up with nothing', async () => {
    expect(await search(100, systemOf(0).attempt)).toBe(5);
  });
});
