import { Problem } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { parseLabelSelector } from './label-selector.js';

describe('a label selector', () => {
  it('reads equality and sets as Kubernetes writes them', () => {
    expect(parseLabelSelector('a=b, c!=d,e in (x, y),f notin (z),g,!h,team.io/name==core,i=')).toEqual([
      { operator: 'in', label: 'a', values: ['b'] },
      { operator: 'notIn', label: 'c', values: ['d'] },
      { operator: 'in', label: 'e', values: ['x', 'y'] },
      { operator: 'notIn', label: 'f', values: ['z'] },
      { operator: 'exists', label: 'g' },
      { operator: 'missing', label: 'h' },
      { operator: 'in', label: 'team.io/name', values: ['core'] },
      { operator: 'in', label: 'i', values: [''] },
    ]);
  });

  it('selects everything when it is empty', () => {
    expect(parseLabelSelector(' ')).toEqual([]);
  });

  it.each(['a=b,', 'a in x', 'a in (x', 'a b', '=b', 'a=b=c', 'a in ()y', "a='b'", 'x'.repeat(5000)])(
    'refuses %s',
    (text) => {
      expect(() => parseLabelSelector(text)).toThrow(Problem);
    },
  );
});
