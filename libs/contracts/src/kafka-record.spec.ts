import { assert, maxSafeNat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireNumberHeader, UnreadableRecordError } from './kafka-record.js';

const read = (value: Buffer | string | Buffer[]) => requireNumberHeader({ n: value }, 'n');

describe('a number in a header', () => {
  it('is what was written, as bytes, as text and repeated', () => {
    assert(
      property(maxSafeNat(), (number) => {
        const text = String(number);
        expect([read(Buffer.from(text)), read(text), read([Buffer.from(text), Buffer.from('x')])]).toEqual([
          number,
          number,
          number,
        ]);
      }),
    );
  });

  it.each([
    '',
    '-1',
    '1.5',
    '1e3',
    ' 1',
    '1 ',
    '0x1',
    '१',
    '9007199254740992',
    '9999999999999999',
    '00000000000000001',
  ])('is refused as %j', (text) => {
    expect(() => read(Buffer.from(text))).toThrow(UnreadableRecordError);
    expect(() => read(text)).toThrow(`The header "n" is not a whole number: "${text}".`);
  });

  it('is missed', () => {
    expect(() => requireNumberHeader({}, 'n')).toThrow('The record has no header "n".');
  });
});
