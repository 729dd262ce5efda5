import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { checkCompatibility } from './compatibility.js';
import type { JsonSchema } from './schema-world.js';

const numbers = [-1, 0, 0.5, 1, 1.5, 2, 3, 4, 6];
const items = [undefined, { type: 'string' }, { type: 'integer' }, { type: 'number' }, false] as const;
const tuples = [undefined, [{ type: 'string' }], [{ type: 'number' }, { type: 'string' }]] as const;

/** Schemas that differ in little, and where little decides. */
const schemas: JsonSchema[] = [
  true,
  false,
  ...['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'].flatMap((keyword) =>
    [0, 1, 2].map((value) => ({ [keyword]: value })),
  ),
  { type: 'integer', minimum: 1 },
  { minimum: 1, exclusiveMinimum: 1 },
  ...[0.5, 1, 2, 3, 6].map((multipleOf) => ({ type: 'number', multipleOf })),
  ...['null', 'boolean', 'string', 'integer', 'number', 'array', 'object'].map((type) => ({ type })),
  { type: ['string', 'null'] },
  { type: 'string', nullable: true },
  { enum: [1, 2] },
  { enum: ['a', 1, null] },
  { const: 1 },
  { type: 'string', minLength: 1 },
  { type: 'string', maxLength: 1 },
  { type: 'string', pattern: '^a' },
  { enum: ['a', 'ab'] },
  ...items.flatMap((further) =>
    tuples.map((prefixItems) => ({
      type: 'array',
      ...(further !== undefined && { items: further }),
      ...(prefixItems && { prefixItems }),
    })),
  ),
  { type: 'array', minItems: 1 },
  { type: 'array', maxItems: 1 },
  { type: 'array', uniqueItems: true },
  { type: 'array', contains: { type: 'string' } },
  { type: 'array', contains: { type: 'string' }, minContains: 0 },
  { type: 'array', contains: { type: 'string' }, minContains: 2 },
  { type: 'array', contains: { type: 'string' }, maxContains: 1 },
  { type: 'array', contains: { type: ['string', 'number'] }, maxContains: 1 },
  ...[undefined, { type: 'string' }, false].flatMap((additionalProperties) =>
    [undefined, { a: { type: 'string' } }, { a: { type: 'number' }, b: {} }].flatMap((properties) =>
      [undefined, { '^x': { type: 'string' } }, { '1$': { type: 'number' } }].map((patternProperties) => ({
        type: 'object',
        ...(additionalProperties !== undefined && { additionalProperties }),
        ...(properties && { properties }),
        ...(patternProperties && { patternProperties }),
      })),
    ),
  ),
  { type: 'object', required: ['a'] },
  { type: 'object', required: ['a', 'b'] },
  { type: 'object', minProperties: 1 },
  { type: 'object', maxProperties: 1 },
  { type: 'object', propertyNames: { maxLength: 1 } },
  { type: 'object', dependentRequired: { a: ['b'] } },
  { type: 'object', dependentSchemas: { a: { required: ['b'] } } },
  { type: 'object', properties: { a: true }, unevaluatedProperties: false },
  { type: 'object', allOf: [{ properties: { a: true } }], unevaluatedProperties: false },
  { anyOf: [{ type: 'string' }, { type: 'null' }] },
  { anyOf: [{ type: 'string', maxLength: 1 }, { type: 'integer' }] },
  { oneOf: [{ type: 'string' }, { type: 'null' }] },
  { oneOf: [{ type: 'number' }, { type: 'integer' }] },
  { oneOf: [{ minimum: 1 }, { maximum: 1 }] },
  { oneOf: [{ required: ['a'] }, { required: ['b'] }], type: 'object' },
  { not: { type: 'string' } },
  { not: { type: ['string', 'null'] } },
  { not: { required: ['a'] } },
  { not: { minimum: 1 } },
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's
  { if: { type: 'number' }, then: { minimum: 1 }, else: { type: 'string' } },
  // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's
  { if: { type: 'number' }, then: { minimum: 0 } },
];

const scalars: unknown[] = [null, true, false, '', 'a', 'ab', 'b', ...numbers];
const few: unknown[] = [null, 'a', 'b', 1, 0.5];
const lists = [
  [],
  ...few.map((one) => [one]),
  ...few.flatMap((one) => few.map((two) => [one, two])),
  ...few.flatMap((one) => ['a', 1].flatMap((two) => few.map((three) => [one, two, three]))),
];
const objects = ['a', 'b', 'x', 'x1', 'y1'].flatMap((first) => [
  ...few.map((value) => ({ [first]: value })),
  ...['a', 'b', 'x1'].flatMap((second) =>
    ['a', 1].flatMap((one) => ['a', 1].map((two) => ({ [first]: one, [second]: two }))),
  ),
]);
const values = [...scalars, ...lists, {}, ...objects];

describe('checkCompatibility, for every pair of some schemas', () => {
  const accepted = schemas.map((schema) => {
    const validator = new Ajv2020({ strict: false, logger: false }).compile(schema);
    return values.filter((value) => validator(value));
  });

  it('never passes one that refuses what the other accepts', () => {
    const wrong: unknown[] = [];
    for (const [old, before] of schemas.entries()) {
      for (const [changed, after] of schemas.entries()) {
        if (checkCompatibility(before, after).length > 0) continue;
        const refused = accepted[old]!.find((value) => !accepted[changed]!.includes(value));
        if (refused !== undefined) wrong.push({ before, after, refused });
      }
    }
    expect(wrong).toEqual([]);
  });

  it('passes most of those that accept whatever the other accepts', () => {
    let compatible = 0;
    let passed = 0;
    for (const [old, before] of schemas.entries()) {
      for (const [changed, after] of schemas.entries()) {
        const is = new Set(accepted[changed]);
        if (!accepted[old]!.every((value) => is.has(value))) continue;
        compatible++;
        if (checkCompatibility(before, after).length === 0) passed++;
      }
    }
    expect(passed / compatible).toBeGreaterThan(0.9);
  });
});
