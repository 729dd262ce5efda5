import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertDepth, JsonStructureError, membersOf, membersOfEach } from './json-members.js';

const MAX_DEPTH = 8;
const SPACES = ['', ' ', '\t', '\r\n', '  \n '];

/** A JSON text, and how deep it nests. */
interface Json {
  text: string;
  depth: number;
}

const space = fc.constantFrom(...SPACES);
const string = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 8 }), fc.boolean())
  .map(([text, escaped]) => (escaped ? escapeAll(text) : JSON.stringify(text)));
const scalar: fc.Arbitrary<Json> = fc
  .oneof(
    string,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.constantFrom('true', 'null', '-0.50E+3'),
  )
  .map((text) => ({ text, depth: 0 }));

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }).map((items) => ({
      text: `[${items.map(([before, item, after]) => before + item.text + after).join(',')}]`,
      depth: 1 + Math.max(0, ...items.map(([, item]) => item.depth)),
    })),
    fc.array(fc.tuple(space, string, space, tie('value')), { maxLength: 4 }).map((members) => ({
      text: `{${members.map(([a, name, b, item]) => `${a}${name}${b}:${a}${item.text}${b}`).join(',')}}`,
      depth: 1 + Math.max(0, ...members.map(([, , , item]) => item.depth)),
    })),
  ),
}));

/** Few names, spelled in several ways: so that some stand there twice. */
const name = fc.oneof(string, fc.constantFrom('"a"', String.raw`"\u0061"`, '"data"', '"__proto__"'));
const members = fc.array(fc.tuple(name, value, space), { maxLength: 6 });

function escapeAll(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return `"${units.map((unit) => String.raw`\u` + unit.toString(16).padStart(4, '0')).join('')}"`;
}

function objectText(list: [string, Json, string][]): string {
  return `{${list.map(([key, item, gap]) => `${gap}${key}${gap}:${gap}${item.text}${gap}`).join(',')}}`;
}

function outcomeOf<T>(run: () => T): T | 'refused' {
  try {
    return run();
  } catch (error) {
    if (error instanceof JsonStructureError) return 'refused';
    throw error;
  }
}

/** Throws what it may not throw. */
function endOf(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    // A name with broken escapes is read by JSON.parse.
    if (!(error instanceof JsonStructureError || error instanceof SyntaxError)) throw error;
  }
}

function reread(json: Buffer, found: ReturnType<typeof membersOf>): Record<string, unknown> {
  return Object.fromEntries(
    [...found].map(([key, { start, end }]) => [
      key,
      JSON.parse(json.toString('utf8', start, end)) as unknown,
    ]),
  );
}

describe('the scanner, against JSON.parse', () => {
  it('finds the same members with the same values, and refuses names that stand there twice and what nests too deep', () => {
    fc.assert(
      fc.property(members, (list) => {
        const json = Buffer.from(objectText(list));
        const names = list.map(([key]) => JSON.parse(key) as string);
        const isTwice = new Set(names).size < names.length;
        const isDeep = list.some(([, { depth }]) => depth > MAX_DEPTH);
        const found = outcomeOf(() => membersOf(json, MAX_DEPTH));
        const expected: unknown = isTwice || isDeep ? 'refused' : JSON.parse(json.toString());
        expect(found === 'refused' ? found : reread(json, found)).toEqual(expected);
      }),
      { numRuns: 10_000 },
    );
  }, 120_000);

  it('does so for each object of an array', () => {
    fc.assert(
      fc.property(fc.array(members, { maxLength: 4 }), (lists) => {
        const json = Buffer.from(`[${lists.map(objectText).join(' ,')}]`);
        const found = outcomeOf(() => membersOfEach(json, MAX_DEPTH));
        if (found === 'refused') return;
        expect(found.map((each) => reread(json, each))).toEqual(JSON.parse(json.toString()));
      }),
      { numRuns: 5000 },
    );
  }, 120_000);

  it('measures the same depth', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 6 }), ({ text, depth }, maxDepth) => {
        const isRefused = outcomeOf(() => assertDepth(Buffer.from(text), maxDepth)) === 'refused';
        expect(isRefused).toBe(depth > maxDepth);
      }),
      { numRuns: 5000 },
    );
  }, 120_000);

  it('ends, with no other error, on bytes that are no JSON', () => {
    const mutation = fc.tuple(fc.nat(), fc.constantFrom(...Buffer.from('{}[]",:\\ a1\u0000'), 0xff));
    fc.assert(
      fc.property(members, fc.array(mutation, { minLength: 1, maxLength: 4 }), (list, mutations) => {
        const json = Buffer.from(objectText(list));
        for (const [at, byte] of mutations) json[at % json.length] = byte;
        for (const scan of [membersOf, membersOfEach, assertDepth]) {
          expect(() => endOf(() => scan(json, MAX_DEPTH))).not.toThrow();
        }
      }),
      { numRuns: 10_000 },
    );
  }, 120_000);
});
