import { parseLadder } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { shuntStep } from './shunt-step.js';

const LADDER = parseLadder('5s,30s,5m,30m,2h');
const S = 1000;

describe('shuntStep', () => {
  it.each([
    [0, 0, '5s'],
    [0, 10 * S, '5s'],
    [0, 15 * S, '30s'],
    [0, 149 * S, '30s'],
    [0, 150 * S, '5m'],
    [0, 900 * S, '30m'],
    [0, 100 * 3600 * S, '2h'],
    [40 * S, 0, '5m'],
    [301 * S, 30 * S, '30m'],
    [100 * 3600 * S, 0, '2h'],
  ])(
    'puts off by at most twice as long as nothing could be sent, and until the next probe (%d, %d)',
    (wait, blocked, step) => {
      expect(shuntStep(LADDER, wait, blocked).name).toBe(step);
    },
  );

  it.each([
    [0, '5s'],
    [29 * S, '5s'],
    [31 * S, '30s'],
    [600 * S, '5m'],
  ])('puts off until about its turn what is only too much (%d)', (wait, step) => {
    expect(shuntStep(LADDER, wait, undefined).name).toBe(step);
  });

  it('writes a backlog a bounded number of times, however long its subscriber is away', () => {
    let writes = 0;
    for (let blocked = 0; blocked < 3600 * S;) {
      blocked += shuntStep(LADDER, 0, blocked).delayMs;
      writes++;
    }
    // Within the hour after which it is suspended.
    expect(writes).toBe(13);
  });
});
