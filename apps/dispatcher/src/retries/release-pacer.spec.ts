import type { IncomingRecord } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { ReleasePacer } from './release-pacer.js';

const NOW = 1_000_000;

function record(offset: number, timestamp: number, partition = 0): IncomingRecord {
  return {
    topic: 'retry.5s',
    partition,
    offset: BigInt(offset),
    timestamp,
    key: null,
    value: null,
    headers: {},
  };
}

describe('ReleasePacer', () => {
  it('releases a lone record when it is due', () => {
    const pacer = new ReleasePacer(new Map([['retry.5s', 5000]]));
    expect(pacer.availableAt(record(0, NOW), NOW)).toBe(NOW + 5000);
    expect(pacer.availableAt(record(1, NOW + 60_000), NOW + 60_000)).toBe(NOW + 65_000);
  });

  it('gives the same answer however often it is asked', () => {
    const pacer = new ReleasePacer(new Map([['retry.5s', 5000]]));
    pacer.availableAt(record(0, NOW), NOW);
    const first = pacer.availableAt(record(1, NOW), NOW + 5000);
    expect(pacer.availableAt(record(1, NOW), NOW + 5001)).toBe(first);
  });

  it('spreads what was put off in the same moment', () => {
    const pacer = new ReleasePacer(new Map([['retry.5s', 5000]]));
    const due = NOW + 5000;
    const times = Array.from({ length: 2001 }, (_, offset) => pacer.availableAt(record(offset, NOW), due));
    expect(times.every((time, index) => index === 0 || time >= times[index - 1]!)).toBe(true);
    expect(times.at(-1)! - due).toBeGreaterThan(980);
    expect(times.at(-1)! - due).toBeLessThan(1020);
  });

  it('never releases before the time', () => {
    const pacer = new ReleasePacer(new Map([['retry.5s', 5000]]));
    for (let offset = 0; offset < 500; offset++) {
      const appended = NOW + offset * 3;
      expect(pacer.availableAt(record(offset, appended), NOW)).toBeGreaterThanOrEqual(appended + 5000);
    }
  });

  it('does not let one partition wait for another', () => {
    const pacer = new ReleasePacer(new Map([['retry.5s', 5000]]));
    for (let offset = 0; offset < 1000; offset++) pacer.availableAt(record(offset, NOW, 0), NOW + 5000);
    expect(pacer.availableAt(record(0, NOW, 1), NOW + 5000)).toBe(NOW + 5000);
  });

  it('does not let what is read anew wait for what was looked at before', () => {
    const pacer = new ReleasePacer(new Map([['retry.24h', 86_400_000]]));
    const late = { ...record(7, NOW), topic: 'retry.24h' };
    const due = { ...record(6, NOW - 86_400_000), topic: 'retry.24h' };
    pacer.availableAt(due, NOW);
    pacer.availableAt(late, NOW);
    expect(pacer.availableAt(due, NOW)).toBe(NOW);
    expect(pacer.availableAt(late, NOW)).toBe(NOW + 86_400_000);
  });
});
