import { describe, expect, it } from 'vitest';
import { assertDepth, JsonStructureError, membersOf, membersOfEach } from './json-members.js';

const text = (json: Buffer, range: { start: number; end: number } | undefined) =>
  range && json.toString('utf8', range.start, range.end);

/** Deterministic, so that a failure can be repeated. */
function randomiser(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const STRINGS = [
  '',
  'a',
  '"',
  '\\',
  '\\"',
  '{',
  '}]',
  'ü€😀',
  '\u0000\n\t',
  'x'.repeat(300),
  ',:',
  '\u2028',
  '__proto__',
];

function randomValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5));
  const pick = () => STRINGS[Math.floor(random() * STRINGS.length)]!;
  const many = Math.floor(random() * 5);
  if (kind === 0) return null;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20);
  if (kind === 3 || kind === 4) return pick();
  if (kind === 5) return Array.from({ length: many }, () => randomValue(random, depth - 1));
  return randomObject(random, depth - 1, many);
}

function randomObject(random: () => number, depth: number, size: number): object {
  const pick = () => STRINGS[Math.floor(random() * STRINGS.length)]!;
  return Object.fromEntries(
    Array.from({ length: size }, (_, i) => [`${pick()}${i}`, randomValue(random, depth)]),
  );
}

function outcomeOf(run: () => unknown): 'read' | 'refused' | 'wrong error' {
  try {
    run();
    return 'read';
  } catch (error) {
    return error instanceof JsonStructureError || error instanceof SyntaxError ? 'refused' : 'wrong error';
  }
}

function nested(depth: number): Buffer {
  return Buffer.from(`{"data":${'['.repeat(depth)}${']'.repeat(depth)}}`);
}

describe('membersOf', () => {
  it('gives the exact bytes of each value, white space and escapes untouched', () => {
    const json = Buffer.from(' {"data" : {"a": [1, "\\"}"] } ,"type":"x\\u0041", "n": -1.50e3}\n');
    const members = membersOf(json, 64);
    expect([...members.keys()]).toEqual(['data', 'type', 'n']);
    expect(text(json, members.get('data'))).toBe('{"a": [1, "\\"}"] }');
    expect(text(json, members.get('type'))).toBe('"x\\u0041"');
    expect(text(json, members.get('n'))).toBe('-1.50e3');
  });

  it('agrees with JSON.parse on any object, however it is spaced', () => {
    const random = randomiser(20_240_601);
    for (let round = 0; round < 3000; round++) {
      const value = randomObject(random, 5, Math.floor(random() * 8));
      const json = Buffer.from(JSON.stringify(value, null, round % 3));
      const members = membersOf(json, 64);
      const reread = Object.fromEntries(
        [...members].map(([name, range]) => [name, JSON.parse(text(json, range)!)]),
      );
      expect(reread).toEqual(JSON.parse(json.toString()));
    }
  });

  it('reads names with escapes', () => {
    const json = Buffer.from('{"\\u0074ype":1}');
    expect([...membersOf(json, 64).keys()]).toEqual(['type']);
  });

  it.each(['{"a":1,"a":2}', '{"a":1,"\\u0061":2}'])('refuses a name that stands there twice: %s', (json) => {
    expect(() => membersOf(Buffer.from(json), 64)).toThrow('"a" stands there twice');
  });

  it('refuses values that nest deeper than allowed', () => {
    expect(membersOf(nested(64), 64).size).toBe(1);
    expect(() => membersOf(nested(65), 64)).toThrow('deeper than 64');
    expect(() => assertDepth(Buffer.from('[[[1]]]'), 2)).toThrow('deeper than 2');
  });

  it('never runs past the end of bytes that are no JSON', () => {
    const random = randomiser(7);
    const alphabet = '{}[]",:\\ a1';
    for (let round = 0; round < 20_000; round++) {
      const length = Math.floor(random() * 12);
      const noise = Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
      for (const scan of [membersOf, membersOfEach, assertDepth]) {
        expect(outcomeOf(() => scan(Buffer.from(noise), 3))).not.toBe('wrong error');
      }
    }
  });
});

describe('membersOfEach', () => {
  it('gives the members of each element, with places in the whole', () => {
    const json = Buffer.from('[ {"id":"1","data":{"a":1}} , {}, {"data":[2]}]');
    const each = membersOfEach(json, 64);
    expect(each.map((members) => text(json, members.get('data')))).toEqual(['{"a":1}', undefined, '[2]']);
    expect(membersOfEach(Buffer.from(' [ ] '), 64)).toEqual([]);
  });
});
