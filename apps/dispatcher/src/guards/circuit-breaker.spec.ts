import { describe, expect, it } from 'vitest';
import { CircuitBreaker, type BreakerSettings } from './circuit-breaker.js';

const SETTINGS: BreakerSettings = { failures: 3, firstPauseMs: 1000, longestPauseMs: 8000 };
const NOW = 1_000_000;
const PROBE_UNTIL = NOW + 16_000;

function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker(SETTINGS);
  for (let n = 0; n < SETTINGS.failures; n++) breaker.failed(false, NOW);
  return breaker;
}

describe('CircuitBreaker', () => {
  it('opens after so many failures in a row, and an answer in between starts the count anew', () => {
    const breaker = new CircuitBreaker(SETTINGS);
    expect([breaker.failed(false, NOW), breaker.failed(false, NOW)]).toEqual([false, false]);
    expect(breaker.answered(false)).toBe(false);
    expect([breaker.failed(false, NOW), breaker.failed(false, NOW)]).toEqual([false, false]);
    expect(breaker.waitMs(NOW)).toBe(0);
    expect(breaker.failed(false, NOW)).toBe(true);
    expect(breaker.waitMs(NOW)).toBeGreaterThanOrEqual(900);
    expect(breaker.waitMs(NOW)).toBeLessThanOrEqual(1100);
  });

  it('lets one probe through when its pause is over, and nothing beside it', () => {
    const breaker = opened();
    const later = NOW + 1100;
    expect(breaker.waitMs(later)).toBe(0);
    expect(breaker.begin(PROBE_UNTIL)).toBe(true);
    expect(breaker.waitMs(later)).toBe(Infinity);
  });

  it('says until when its probe is answered, and whoever takes over waits for that', () => {
    const breaker = opened();
    const { since, openings, until } = breaker.opened!;
    expect(breaker.opened?.probing).toBeUndefined();
    breaker.begin(PROBE_UNTIL);
    expect(breaker.opened).toEqual({ since, openings, until: PROBE_UNTIL, probing: true });
    const next = new CircuitBreaker(SETTINGS, breaker.opened);
    expect(next.waitMs(NOW)).toBe(PROBE_UNTIL - NOW);
    expect(next.opened?.probing).toBeUndefined();
    breaker.abandoned(true);
    expect(breaker.opened).toEqual({ since, openings, until });
  });

  it('closes when the probe is answered', () => {
    const breaker = opened();
    breaker.begin(PROBE_UNTIL);
    expect(breaker.answered(true)).toBe(true);
    expect(breaker.opened).toBeUndefined();
    expect(breaker.begin(PROBE_UNTIL)).toBe(false);
  });

  it('doubles its pause with each probe that fails, up to the longest', () => {
    const breaker = opened();
    const pauses: number[] = [];
    for (let n = 0; n < 5; n++) {
      breaker.begin(PROBE_UNTIL);
      expect(breaker.failed(true, NOW)).toBe(true);
      pauses.push(breaker.waitMs(NOW));
    }
    for (const [index, expected] of [2000, 4000, 8000, 8000, 8000].entries()) {
      expect(Math.abs(pauses[index]! - expected)).toBeLessThanOrEqual(expected * 0.1 + 1);
    }
    expect(breaker.opened).toMatchObject({ since: NOW, openings: 6 });
  });

  it('is not kept open by requests that began before it opened', () => {
    const breaker = opened();
    const before = breaker.opened;
    expect(breaker.failed(false, NOW + 500)).toBe(false);
    expect(breaker.opened).toEqual(before);
  });

  it('lets another probe through when one was not made after all', () => {
    const breaker = opened();
    breaker.begin(PROBE_UNTIL);
    breaker.abandoned(true);
    expect(breaker.waitMs(NOW + 1100)).toBe(0);
  });

  it('goes on where the owner before left it', () => {
    const breaker = new CircuitBreaker(SETTINGS, { since: NOW - 5000, until: NOW + 700, openings: 2 });
    expect(breaker.waitMs(NOW)).toBe(700);
    breaker.begin(PROBE_UNTIL);
    breaker.failed(true, NOW);
    expect(breaker.opened).toMatchObject({ since: NOW - 5000, openings: 3 });
  });
});
