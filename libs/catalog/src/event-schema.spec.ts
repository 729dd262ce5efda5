import { describe, expect, it } from 'vitest';
import { compileEventSchema } from './event-schema.js';

const order = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['total'],
  properties: {
    total: { type: 'number', minimum: 0 },
    at: { type: 'string', format: 'date-time' },
    lines: { type: 'array', items: { $ref: '#/$defs/line' } },
  },
  $defs: {
    line: {
      type: 'object',
      required: ['sku'],
      additionalProperties: false,
      properties: { sku: { type: 'string' } },
    },
  },
  'x-owner': 'shop',
};

describe('a schema', () => {
  it('accepts what fits and names every place that does not', () => {
    const schema = compileEventSchema(order);
    expect(schema.validate({ total: 1, at: '2026-01-01T00:00:00Z', lines: [{ sku: 'a' }] })).toEqual([]);
    expect(schema.validate({ at: 'yesterday', lines: [{ 'a/b': 1 }] })).toEqual([
      { path: '/total', message: "must have required property 'total'" },
      { path: '/at', message: 'must match format "date-time"' },
      { path: '/lines/0/sku', message: "must have required property 'sku'" },
      { path: '/lines/0/a~1b', message: 'must NOT have additional properties' },
    ]);
  });

  it('with too many parts is refused instead of holding up the service', () => {
    const properties = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`p${index}`, {}]));
    expect(() => compileEventSchema({ properties })).toThrow(/more than 1000 subschemas/);
  });

  it('names the first violation only in large data', () => {
    const schema = compileEventSchema({ type: 'array', items: { type: 'string' } });
    expect(schema.validate([1, 2, 3], 1_000_000)).toEqual([{ path: '/0', message: 'must be string' }]);
  });

  it('lists at most 20 violations', () => {
    const schema = compileEventSchema({ type: 'array', items: { type: 'string' } });
    expect(schema.validate(Array.from({ length: 1000 }, () => 1))).toHaveLength(20);
  });

  it('can be true or false', () => {
    expect(compileEventSchema(true).validate(1)).toEqual([]);
    expect(compileEventSchema(false).validate(1)).toHaveLength(1);
  });

  it.each([
    [{ type: 'object', requird: ['a'] }, /unknown keyword: "requird"/],
    [{ type: 'objec' }, /not JSON Schema 2020-12: \/type/],
    [{ format: 'nope' }, /unknown format "nope"/],
    [{ $ref: 'https://example.com/x.json' }, /leads out of the schema/],
    [{ $ref: 'other.json#/a' }, /leads out of the schema/],
    [{ $ref: '#/$defs/none' }, /refers to nothing/],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, /only JSON Schema 2020-12/],
    [{ $async: true }, /"\$async" is not supported/],
    [{ $dynamicRef: '#x' }, /"\$dynamicRef" is not supported/],
    [{ $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } } }, /refers to itself/],
    [{ properties: { a: { pattern: '(a)\\1' } } }, /RE2/],
    [{ enum: Array.from({ length: 30_000 }, (_, index) => `value-${index}`) }, /larger than 256 KiB/],
  ])('is refused: %j', (schema, reason) => {
    expect(() => compileEventSchema(schema)).toThrow(reason);
  });

  it('may have properties named like keywords', () => {
    const schema = compileEventSchema({
      properties: { $async: { type: 'string' }, $id: { type: 'string' } },
    });
    expect(schema.validate({ $async: 1 })).toHaveLength(1);
  });

  it('is refused when its references double with every link', () => {
    const $defs: Record<string, unknown> = { d30: { type: 'string' } };
    for (let link = 0; link < 30; link++) {
      $defs[`d${link}`] = { allOf: [{ $ref: `#/$defs/d${link + 1}` }, { $ref: `#/$defs/d${link + 1}` }] };
    }
    expect(() => compileEventSchema({ $ref: '#/$defs/d0', $defs })).toThrow(/expands to more than 10000/);
  });

  it('matches patterns in linear time', () => {
    const schema = compileEventSchema({ type: 'string', pattern: '^(a+)+$' });
    const start = performance.now();
    expect(schema.validate(`${'a'.repeat(50_000)}!`)).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('checks formats of short texts only', () => {
    const schema = compileEventSchema({ type: 'string', format: 'email' });
    expect(schema.validate('a@example.com')).toEqual([]);
    const start = performance.now();
    expect(schema.validate(`a@${'a-'.repeat(400_000)}`)).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(200);
  });

  it('describes trees, and is stopped where their branches multiply with the depth of the data', () => {
    const tree = compileEventSchema({
      type: 'object',
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
    });
    expect(tree.validate({ name: 'a', children: [{ name: 'b' }] })).toEqual([]);
    expect(tree.validate({ children: [{ children: [{ name: 1 }] }] })).toEqual([
      { path: '/children/0/children/0/name', message: 'must be string' },
    ]);
    const hostile = compileEventSchema({
      anyOf: [
        { type: 'array', items: { $ref: '#' }, minItems: 1 },
        { type: 'array', items: { $ref: '#' }, minItems: 1 },
      ],
    });
    let data: unknown = [];
    for (let depth = 0; depth < 40; depth++) data = [data];
    const start = performance.now();
    expect(hostile.validate(data)).toEqual([
      { path: '', message: 'takes too long to check against its schema (more than 250 ms)' },
    ]);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('survives data nested deeper than the stack', () => {
    const tree = compileEventSchema({ type: 'array', items: { $ref: '#' } });
    let data: unknown = [];
    for (let depth = 0; depth < 100_000; depth++) data = [data];
    expect(tree.validate(data)).toHaveLength(1);
  });
});
