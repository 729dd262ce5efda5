import { describe, expect, it } from 'vitest';
import { Throughput } from './throughput.js';

const NOW = 1_000_000;

describe('Throughput', () => {
  it('goes by the rate, or by how long requests take, whichever is slower', () => {
    const throughput = new Throughput();
    for (let n = 0; n < 200; n++) throughput.measured(1000);
    expect(Math.round(throughput.interval(10, undefined))).toBe(100);
    expect(throughput.interval(10, 2)).toBe(500);
    expect(Math.round(throughput.interval(10, 10_000))).toBe(100);
  });

  it('gives each record a turn behind those before it', () => {
    const throughput = new Throughput();
    expect([1, 2, 3].map(() => throughput.book(100, false, NOW))).toEqual([100, 200, 300]);
  });

  it('takes the booking back of a record that comes again', () => {
    const throughput = new Throughput();
    for (let n = 0; n < 10; n++) throughput.book(100, false, NOW);
    for (let n = 0; n < 10; n++) throughput.book(100, true, NOW);
    expect(throughput.book(100, false, NOW)).toBe(1100);
  });

  it('forgets bookings whose time has come', () => {
    const throughput = new Throughput();
    for (let n = 0; n < 10; n++) throughput.book(100, false, NOW);
    expect(throughput.book(100, false, NOW + 60_000)).toBe(100);
  });

  it('forgets the bookings of a slow time once nothing waits any more', () => {
    const throughput = new Throughput();
    for (let n = 0; n < 1000; n++) throughput.book(10_000, false, NOW);
    throughput.idle();
    expect(throughput.book(100, false, NOW)).toBe(100);
  });
});
