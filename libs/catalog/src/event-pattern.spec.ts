import { describe, expect, it } from 'vitest';
import { PatternIndex } from './event-pattern.js';

function indexOf(patterns: Record<string, string[]>): PatternIndex<{ name: string }> {
  const index = new PatternIndex<{ name: string }>();
  for (const [name, list] of Object.entries(patterns)) index.add({ name }, list);
  return index;
}

const names = (index: PatternIndex<{ name: string }>, type: string) =>
  index.find(type).map((entry) => entry.name);

describe('event patterns', () => {
  const index = indexOf({
    exact: ['order.completed'],
    below: ['order.*'],
    deeper: ['order.item.*'],
    all: ['*'],
    system: ['quittance.*'],
    twice: ['order.*', 'order.completed'],
  });

  it.each([
    ['order.completed', ['all', 'below', 'exact', 'twice']],
    ['order.item.added', ['all', 'below', 'deeper', 'twice']],
    ['order', ['all']],
    ['orders.completed', ['all']],
    ['quittance.delivery.dead', ['system']],
    ['quittances', ['all']],
    ['toString', ['all']],
  ])('%s', (type, expected) => {
    expect(names(index, type)).toEqual(expected);
  });

  it('answers from memory until something changes', () => {
    const index = indexOf({ a: ['order.*'] });
    const first = index.find('order.x');
    expect(index.find('order.x')).toBe(first);
    const added = { name: 'b' };
    index.add(added, ['order.x']);
    expect(names(index, 'order.x')).toEqual(['a', 'b']);
    index.remove(added, ['order.x']);
    expect(names(index, 'order.x')).toEqual(['a']);
  });

  it('survives endless new types', () => {
    for (let number = 0; number < 10_000; number++) {
      expect(index.find(`order.${number}`)).toHaveLength(3);
    }
  });
});
