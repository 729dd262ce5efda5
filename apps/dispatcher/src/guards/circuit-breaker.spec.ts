import { describe, expect, it } from 'vitest';
import { CircuitBreaker, type BreakerSettings } from './circuit-breaker.js';

const SETTINGS: BreakerSettings = { failures: 3, firstPauseMs: 1000, longestPauseMs: 8000 };
const NOW = 1_000_000;
const PROBE_UNTIL = NOW + 16_000;

function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker(SETTINGS);
  for (let n = 0; n < SETTINGS.failures; n++) breaker.failed(breaker.epoch, NOW);
  return breaker;
}

describe('CircuitBreaker', () => {
  it('opens after so many failures in a row, and an answer in between starts the count anew', () => {
    const breaker = new CircuitBreaker(SETTINGS);
    const fail = (): boolean => breaker.failed(breaker.epoch, NOW);
    expect([fail(), fail()]).toEqual([false, false]);
    expect(breaker.answered(breaker.epoch)).toBe(false);
    expect([fail(), fail()]).toEqual([false, false]);
    expect(breaker.waitMs(NOW)).toBe(0);
    expect(fail()).toBe(true);
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
    breaker.abandoned(breaker.epoch);
    expect(breaker.opened).toEqual({ since, openings, until });
  });

  it('closes when the probe is answered', () => {
    const breaker = opened();
    breaker.begin(PROBE_UNTIL);
    expect(breaker.answered(breaker.epoch)).toBe(true);
    expect(breaker.opened).toBeUndefined();
    expect(breaker.begin(PROBE_UNTIL)).toBe(false);
  });

  it('doubles its pause with each probe that fails, up to the longest', () => {
    const breaker = opened();
    const pauses: number[] = [];
    for (let n = 0; n < 5; n++) {
      breaker.begin(PROBE_UNTIL);
      expect(breaker.failed(breaker.epoch, NOW)).toBe(true);
      pauses.push(breaker.waitMs(NOW));
    }
    for (const [index, expected] of [2000, 4000, 8000, 8000, 8000].entries()) {
      expect(Math.abs(pauses[index]! - expected)).toBeLessThanOrEqual(expected * 0.1 + 1);
    }
    expect(breaker.opened).toMatchObject({ since: NOW, openings: 6 });
  });

  it('is neither kept open nor closed by requests that began before it opened', () => {
    const breaker = new CircuitBreaker(SETTINGS);
    const early = breaker.epoch;
    for (let n = 0; n < SETTINGS.failures; n++) breaker.failed(early, NOW);
    breaker.begin(PROBE_UNTIL);
    const before = breaker.opened;
    expect(breaker.failed(early, NOW + 500)).toBe(false);
    expect(breaker.answered(early)).toBe(false);
    breaker.abandoned(early);
    expect(breaker.opened).toEqual(before);
    breaker.answered(breaker.epoch);
    for (let n = 0; n < SETTINGS.failures; n++) breaker.failed(early, NOW + 500);
    expect(breaker.opened).toBeUndefined();
  });

  it('is told nothing by a request that could not be made, unless that was the probe', () => {
    const breaker = new CircuitBreaker(SETTINGS);
    for (let n = 0; n < SETTINGS.failures; n++) {
      expect(breaker.opened).toBeUndefined();
      breaker.showedNothing(breaker.epoch, NOW);
      breaker.failed(breaker.epoch, NOW);
    }
    breaker.begin(PROBE_UNTIL);
    expect(breaker.showedNothing(breaker.epoch, NOW)).toBe(true);
    expect(breaker.opened).toMatchObject({ openings: 2 });
  });

  it('counts nothing any more of what began before it was reset', () => {
    const breaker = opened();
    breaker.begin(PROBE_UNTIL);
    const probe = breaker.epoch;
    breaker.reset();
    expect(breaker.waitMs(NOW)).toBe(0);
    for (let n = 0; n < SETTINGS.failures; n++) expect(breaker.failed(probe, NOW)).toBe(false);
    expect(breaker.opened).toBeUndefined();
  });

  it('lets another probe through when one was not made after all', () => {
    const breaker = opened();
    breaker.begin(PROBE_UNTIL);
    breaker.abandoned(breaker.epoch);
    expect(breaker.waitMs(NOW + 1100)).toBe(0);
  });

  it('goes on where the owner before left it', () => {
    const breaker = new CircuitBreaker(SETTINGS, { since: NOW - 5000, until: NOW + 700, openings: 2 });
    expect(breaker.waitMs(NOW)).toBe(700);
    breaker.begin(PROBE_UNTIL);
    breaker.failed(breaker.epoch, NOW);
    expect(breaker.opened).toMatchObject({ since: NOW - 5000, openings: 3 });
  });
});
