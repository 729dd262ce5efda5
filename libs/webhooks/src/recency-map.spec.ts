import { describe, expect, it } from 'vitest';
import { RecencyMap } from './recency-map.js';

describe('RecencyMap', () => {
  it('gives up what was used longest ago', () => {
    const map = new RecencyMap<number>(2);
    expect(map.set('a', 1)).toEqual([]);
    expect(map.set('b', 2)).toEqual([]);
    expect(map.get('a')).toBe(1);
    expect(map.set('c', 3)).toEqual([2]);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
  });

  it('replaces a value without giving up another', () => {
    const map = new RecencyMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    expect(map.set('a', 3)).toEqual([]);
    expect([...map.values()]).toEqual([2, 3]);
  });

  it('grows while nothing may be given up, and shrinks again after that', () => {
    const kept = new Set([1, 2]);
    const map = new RecencyMap<number>(2, (value) => !kept.has(value));
    map.set('a', 1);
    map.set('b', 2);
    expect(map.set('c', 3)).toEqual([]);
    kept.clear();
    expect(map.set('d', 4)).toEqual([1, 2]);
    expect([...map.values()]).toEqual([3, 4]);
  });
});
