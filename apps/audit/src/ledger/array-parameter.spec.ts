import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timestamptzColumn } from './array-parameter.js';

const LATEST_MS = 8_640_000_000_000_000;
const FIRST_ELEMENT_AT = 24;

function microseconds(ms: number): bigint {
  return timestamptzColumn([ms], (time) => time).readBigInt64BE(FIRST_ELEMENT_AT);
}

describe('a column of times', () => {
  it('has the microseconds since 2000 that big integers give', () => {
    assert(
      property(integer({ min: -LATEST_MS, max: LATEST_MS }), (ms) => {
        expect(microseconds(ms)).toBe(BigInt(ms - 946_684_800_000) * 1000n);
      }),
    );
  });

  it.each([0, 946_684_800_000, 946_684_799_999, 1_764_374_400_123, LATEST_MS, -LATEST_MS])('has %d', (ms) => {
    expect(microseconds(ms)).toBe(BigInt(ms - 946_684_800_000) * 1000n);
  });

  it.each([LATEST_MS + 1, 1.5, Number.NaN])('rejects %d', (ms) => {
    expect(() => microseconds(ms)).toThrow(/out of range/);
  });
});
