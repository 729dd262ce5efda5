import * as fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HmacKey } from './hmac-key.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const part = fc.oneof(
  bytes(300),
  fc.string({ unit: 'binary', maxLength: 100 }),
  // Around the bound between the two ways.
  fc.integer({ min: 16_000, max: 17_000 }).map((length) => Buffer.alloc(length, 'quittance')),
);

describe('an HMAC key', () => {
  it("gives what Node's own HMAC gives, whatever key and content", () => {
    fc.assert(
      fc.property(
        fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const),
        bytes(300).filter((key) => key.length > 0),
        fc.array(part, { maxLength: 5 }),
        (algorithm, key, parts) => {
          const reference = createHmac(algorithm, key);
          for (const each of parts) reference.update(each);
          const expected = reference.digest();
          const ours = new HmacKey(algorithm, key);
          expect(ours.digest(...parts).toString('hex')).toBe(expected.toString('hex'));
          expect(ours.digestBase64(...parts)).toBe(expected.toString('base64'));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('keeps nothing of one content for the next', () => {
    const key = new HmacKey('sha256', Buffer.from('key'));
    const other = new HmacKey('sha512', Buffer.from('another'));
    const first = key.digest('a longer content than the next').toString('hex');
    other.digest(Buffer.alloc(10_000, 1));
    expect(key.digest('a').toString('hex')).toBe(createHmac('sha256', 'key').update('a').digest('hex'));
    expect(key.digest('a longer content', ' than the next').toString('hex')).toBe(first);
  });
});
