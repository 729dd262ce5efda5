import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { isPlainPattern } from './plain-pattern.js';

const PLAIN = [
  '^[-_A-Za-z0-9]*$',
  '^ord-[0-9]+$',
  '^[A-Z]{2}[0-9]{4}$',
  '^\\d{3}-x\\.y$',
  '^[^@ ]+$',
  '^a?bc',
  '^\\w{2,5}$',
];

describe('isPlainPattern', () => {
  it.each(PLAIN)('says yes to %s', (pattern) => {
    expect(isPlainPattern(pattern)).toBe(true);
  });

  it.each([
    'a*$',
    '^(a+)+$',
    '^a*a*$',
    '^a?a?$',
    '^a|b$',
    '^.*$',
    '^[a-z]+@[a-z]+$',
    '^a{1,9}b{1,9}$',
    '^\\s+$',
    '^[[:alpha:]]+$',
    '^\\p{L}+$',
    '^a+?$',
    '^a$b',
    '^(?=a)',
    '^[z-a',
  ])('says no to %s', (pattern) => {
    expect(isPlainPattern(pattern)).toBe(false);
  });

  it('stands for patterns that both engines read alike', () => {
    const alphabet = [...'abcABC019-_@ .xyord$é\n😀'];
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (const pattern of PLAIN) {
      const native = new RegExp(pattern, 'u');
      const re2 = RE2JS.compile(RE2JS.translateRegExp(pattern));
      for (let n = 0; n < 2000; n++) {
        const text = Array.from({ length: random(9) }, () => alphabet[random(alphabet.length)]).join('');
        expect([text, native.test(text)]).toEqual([text, re2.test(text)]);
      }
    }
  });

  it('stands for patterns that end soon on any text', () => {
    const text = `${'a'.repeat(1024 * 1024)}!`;
    const began = process.cpuUsage();
    for (const pattern of PLAIN) new RegExp(pattern, 'u').test(text);
    // A quadratic one would take minutes of these; the machine's speed does not matter.
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
  });
});
