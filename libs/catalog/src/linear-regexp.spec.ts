import { describe, expect, it } from 'vitest';
import { linearRegExp, PatternError } from './linear-regexp.js';

describe('a linear regular expression', () => {
  it('is compiled once while it is in use', () => {
    const first = linearRegExp('^ord-[0-9]+$');
    expect(first.test('ord-12')).toBe(true);
    for (let number = 0; number < 1000; number++) {
      linearRegExp(`x${number}`);
      expect(linearRegExp('^ord-[0-9]+$')).toBe(first);
    }
  });

  it('is forgotten when others are used more', () => {
    const first = linearRegExp('rare');
    for (let number = 0; number < 300; number++) linearRegExp(`y${number}`);
    expect(linearRegExp('rare')).not.toBe(first);
  });

  it.each(['\\u00e9', '\\d+', '(?<name>a)', '\\p{L}', '[^\\s@]+@', '\\/'])(
    'reads %s as JavaScript does',
    (pattern) => {
      expect(() => linearRegExp(pattern)).not.toThrow();
    },
  );

  it.each(['(', 'a{1001}', '((a{100}){100}){100}', `${'.{1000}'.repeat(10)}`, '(?=a)', '(?<=a)b', '(a)\\1'])(
    'refuses %s',
    (pattern) => {
      expect(() => linearRegExp(pattern)).toThrow(PatternError);
    },
  );
});
