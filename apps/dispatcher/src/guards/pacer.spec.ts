import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.js';

/** How many requests pass from `from` on, when somebody looks every `everyMs`. */
function passed(pacer: Pacer, rate: number, from: number, ms: number, everyMs: number): number[] {
  const perLook: number[] = [];
  for (let now = from; now < from + ms; now += everyMs) {
    let count = 0;
    while (pacer.waitMs(now) === 0) {
      pacer.take(rate, now);
      count++;
    }
    perLook.push(count);
  }
  return perLook;
}

const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);

describe('Pacer', () => {
  it.each([1, 10, 333, 1000, 20_000])('lets %d a second through, whoever looks late', (rate) => {
    const total = sum(passed(new Pacer(), rate, 1_000_000, 10_000, 2));
    expect(Math.abs(total - rate * 10)).toBeLessThanOrEqual(Math.max(2, rate * 10 * 0.01));
  });

  it('spaces requests evenly instead of in bursts', () => {
    const counts = passed(new Pacer(), 100, 1_000_000, 1000, 1);
    expect(Math.max(...counts.slice(1))).toBe(1);
  });

  it('does not make up for a silence', () => {
    const pacer = new Pacer();
    pacer.take(10, 1_000_000);
    expect(sum(passed(pacer, 10, 2_000_000, 100, 1))).toBeLessThanOrEqual(2);
  });
});
