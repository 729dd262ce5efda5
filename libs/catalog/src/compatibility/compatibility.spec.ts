import { describe, expect, it } from 'vitest';
import { checkCompatibility } from './compatibility.js';
import type { JsonSchema, SchemaObject } from './schema-world.js';

const order: SchemaObject = {
  type: 'object',
  properties: {
    total: { type: 'number', minimum: 0 },
    currency: { enum: ['EUR', 'USD'] },
    lines: { type: 'array', items: { $ref: '#/$defs/line' }, maxItems: 10 },
  },
  required: ['total'],
  $defs: { line: { type: 'object', properties: { sku: { type: 'string', maxLength: 20 } } } },
};

function changes(before: JsonSchema, after: JsonSchema): string[] {
  return checkCompatibility(before, after).map(({ path, message }) => `${path}: ${message}`);
}

/** @param path of keys, below `order` */
function orderWith(path: string[], value: unknown): SchemaObject {
  const copy = structuredClone(order) as Record<string, unknown>;
  let node = copy;
  for (const key of path.slice(0, -1)) node = (node[key] ??= {}) as Record<string, unknown>;
  node[path.at(-1)!] = value;
  return copy;
}

describe('a changed schema that refuses what was accepted', () => {
  it.each([
    [['properties', 'total', 'type'], 'string', '/properties/total/type: was "number", now "string"'],
    [['properties', 'total', 'type'], 'integer', '/properties/total/type: was "number", now "integer"'],
    [['properties', 'total', 'minimum'], 1, '/properties/total/minimum: was 0, now 1'],
    [['properties', 'total', 'maximum'], 9, '/properties/total/maximum: was without limit, now 9'],
    [['properties', 'total', 'multipleOf'], 2, '/properties/total/multipleOf: was without limit, now 2'],
    [
      ['properties', 'currency', 'enum'],
      ['EUR'],
      '/properties/currency/enum: "USD" is not accepted any more',
    ],
    [['required'], ['total', 'currency'], '/required: "currency" is now required'],
    [
      ['additionalProperties'],
      false,
      '/additionalProperties: refuses properties that are not described, which were accepted before',
    ],
    [['properties', 'lines', 'maxItems'], 5, '/properties/lines/maxItems: was 10, now 5'],
    [['properties', 'lines', 'minItems'], 1, '/properties/lines/minItems: was without limit, now 1'],
    [
      ['properties', 'lines', 'uniqueItems'],
      true,
      '/properties/lines/uniqueItems: items could be the same before',
    ],
    [
      ['$defs', 'line', 'properties', 'sku', 'maxLength'],
      10,
      '/$defs/line/properties/sku/maxLength: was 20, now 10',
    ],
    [
      ['$defs', 'line', 'properties', 'sku', 'pattern'],
      '^A',
      '/$defs/line/properties/sku/pattern: was without one, now "^A"',
    ],
    [
      ['$defs', 'line', 'properties', 'sku', 'format'],
      'uuid',
      '/$defs/line/properties/sku/format: was without one, now "uuid"',
    ],
    [
      ['properties', 'note'],
      { type: 'string' },
      '/properties/note: is new, yet any value was accepted there before: leave it out here, or describe it in a new version',
    ],
    [['not'], { required: ['secret'] }, '/not: may refuse what was accepted before'],
  ])('names the place: %j', (path, value, violation) => {
    expect(changes(order, orderWith(path, value))).toEqual([violation]);
  });

  it('names every place, up to 20', () => {
    const after = orderWith(['properties', 'total'], { type: 'string' });
    expect(changes(order, { ...after, required: ['total', 'b'] })).toHaveLength(2);
    const names = Array.from({ length: 30 }, (_, index) => `p${index}`);
    expect(changes({}, { required: names })).toHaveLength(20);
  });

  it('names the alternative', () => {
    const alternatives = (type: string): SchemaObject => ({
      anyOf: [{ type: 'object', properties: { a: { type } } }, { type: 'null' }],
    });
    expect(changes(alternatives('number'), alternatives('string'))).toEqual([
      '/anyOf/0/properties/a/type: was "number", now "string"',
    ]);
  });
});

describe('a changed schema that accepts more, or the same', () => {
  it.each<[string, JsonSchema, JsonSchema]>([
    ['an integer becomes a number', { type: 'integer' }, { type: 'number' }],
    ['a type more', { type: 'string' }, { type: ['string', 'null'] }],
    ['nullable', { type: 'string' }, { type: 'string', nullable: true }],
    ['a value more', { enum: [1, 2] }, { enum: [2, 3, 1] }],
    ['a constant becomes one of several', { const: 'a' }, { enum: ['a', 'b'] }],
    [
      'a value that matches the new pattern',
      { enum: ['ab'] },
      { type: 'string', pattern: '^a', maxLength: 2 },
    ],
    ['lower minimum', { minimum: 3 }, { minimum: 2 }],
    ['excluded to included', { exclusiveMinimum: 3 }, { minimum: 3 }],
    ['no longer required', order, { ...order, required: [] }],
    ['opened', { properties: { a: {} }, additionalProperties: false }, { properties: { a: {} } }],
    [
      'a further property of a closed object',
      { properties: { a: {} }, additionalProperties: false },
      { properties: { a: {}, b: { type: 'string' } }, additionalProperties: false },
    ],
    [
      'closed by unevaluatedProperties, with a further property',
      { properties: { a: {} }, unevaluatedProperties: false },
      { properties: { a: {}, b: {} }, unevaluatedProperties: false },
    ],
    [
      'an open property described without saying anything',
      order,
      orderWith(['properties', 'x'], { title: 'X' }),
    ],
    ['annotations', order, { ...order, title: 'Order', description: 'd', examples: [1], 'x-team': 'shop' }],
    [
      'a definition renamed',
      order,
      JSON.parse(JSON.stringify(order).replaceAll('line"', 'row"')) as SchemaObject,
    ],
    [
      'an alternative more',
      { anyOf: [{ type: 'string' }] },
      { anyOf: [{ type: 'null' }, { type: 'string' }] },
    ],
    ['one becomes one of several', { type: 'string' }, { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    [
      'types become alternatives',
      { type: ['string', 'null'] },
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
    ],
    [
      'alternatives become types',
      { anyOf: [{ type: 'string' }, { const: null }] },
      { type: ['string', 'null', 'boolean'] },
    ],
    [
      'a further kind, told apart by a constant',
      { oneOf: [kindOf('a'), kindOf('b')] },
      { oneOf: [kindOf('b'), kindOf('c'), kindOf('a')] },
    ],
    ['put into allOf', { type: 'string', maxLength: 3 }, { allOf: [{ maxLength: 5 }], type: 'string' }],
    ['a wider condition', conditional(1), conditional(0)],
    ['a wider prohibition', { not: { type: ['null', 'string'] } }, { not: { type: 'null' } }],
    [
      'items described one by one as before',
      { prefixItems: [{ type: 'integer' }], items: { type: 'string' } },
      { prefixItems: [{ type: 'number' }, { type: 'string' }], items: { type: ['string', 'null'] } },
    ],
    ['contains less', { contains: { const: 1 }, minContains: 2 }, { contains: { type: 'integer' } }],
    ['a tree whose nodes may be more', tree({ type: 'integer' }), tree({ type: 'number' })],
    ['nothing was accepted', false, { type: 'string' }],
    ['everything is accepted', order, true],
  ])('passes: %s', (_what, before, after) => {
    expect(changes(before, after)).toEqual([]);
  });

  it.each<[string, JsonSchema, JsonSchema, string]>([
    [
      'a tree whose nodes may be less',
      tree({ type: 'number' }),
      tree({ type: 'integer' }),
      '/$defs/tree/properties/value/type',
    ],
    ['a narrower condition', conditional(0), conditional(1), '/then/minimum'],
    [
      'two kinds that overlap',
      { oneOf: [{ type: 'integer' }] },
      { oneOf: [{ type: 'integer' }, { type: 'number' }] },
      '/oneOf',
    ],
    [
      'fewer alternatives',
      { anyOf: [{ type: 'null' }, { type: 'string' }] },
      { anyOf: [{ type: 'string' }] },
      '/anyOf',
    ],
    ['a reference that means another thing', ref('string'), ref('number'), '/$defs/a/type'],
    [
      'unknown depths',
      { allOf: [{}] },
      { allOf: [{}], unevaluatedProperties: false },
      '/unevaluatedProperties',
    ],
  ])('does not pass: %s', (_what, before, after, path) => {
    expect(checkCompatibility(before, after).map((violation) => violation.path)).toEqual([path]);
  });
});

describe('schemas that take too long to compare', () => {
  it('are a violation that says what to do', () => {
    const alternatives = (depth: number, size: number): SchemaObject =>
      depth === 0
        ? { type: 'integer', minimum: size }
        : {
            anyOf: Array.from({ length: 6 }, (_, index) => ({
              properties: { [`p${depth}`]: alternatives(depth - 1, size + index) },
            })),
          };
    expect(changes(alternatives(4, 0), alternatives(4, 1))).toEqual([
      ': is too complex to be compared with the schema before: put it into a new version',
    ]);
  });
});

function kindOf(kind: string): SchemaObject {
  return { type: 'object', properties: { kind: { const: kind } }, required: ['kind'] };
}

function conditional(minimum: number): SchemaObject {
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's
  return { if: { type: 'number' }, then: { minimum }, else: { type: 'string' } };
}

function tree(value: SchemaObject): SchemaObject {
  const children = { type: 'array', items: { $ref: '#/$defs/tree' } };
  return { $ref: '#/$defs/tree', $defs: { tree: { type: 'object', properties: { value, children } } } };
}

function ref(type: string): SchemaObject {
  return { $ref: '#/$defs/a', $defs: { a: { type } } };
}
