import * as fc from 'fast-check';
import type { JsonSchema, SchemaObject } from './schema-world.js';

/** Few names and values, so that schemas and data meet often. */
export const NAMES = ['a', 'b', 'x1'];
export const name = fc.constantFrom(...NAMES);
export const number = fc.constantFrom(-1, 0, 0.5, 1, 2, 3, 6);
const text = fc.constantFrom('', 'a', 'ab', 'abc', 'x1', '2026-01-31');
export const scalar = fc.oneof(fc.constant(null), fc.boolean(), number, text);

/** As JSON is parsed: an object without a prototype is not equal to any other for the validator. */
export function dictionary<T>(
  keys: fc.Arbitrary<string>,
  values: fc.Arbitrary<T>,
  maxKeys: number,
): fc.Arbitrary<Record<string, T>> {
  return fc.dictionary(keys, values, { maxKeys, noNullPrototype: true });
}

/** JSON values, at most three levels deep. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.array(tie('value'), { maxLength: 3 }),
    dictionary(name, tie('value'), 3),
  ),
})).value;

const OF_TYPE: Record<string, fc.Arbitrary<unknown>> = {
  null: fc.constant(null),
  boolean: fc.boolean(),
  string: text,
  integer: fc.constantFrom(-1, 0, 1, 2, 3, 6),
  number,
  array: fc.array(json, { maxLength: 3 }),
  object: dictionary(name, json, 3),
};
const MAX_DEPTH = 5;

/** Values that a schema is likely to accept, or to refuse by a hair. */
export function valueFor(root: JsonSchema, schema: JsonSchema = root, depth = 0): fc.Arbitrary<unknown> {
  if (typeof schema === 'boolean' || depth > MAX_DEPTH) return json;
  const of = (value: unknown): fc.Arbitrary<unknown> =>
    valueFor(root, typeof value === 'object' && value !== null ? (value as SchemaObject) : true, depth + 1);
  const found: fc.Arbitrary<unknown>[] = [json];
  for (const type of [schema['type'] ?? []].flat()) found.push(OF_TYPE[String(type)] ?? json);
  if (Object.hasOwn(schema, 'const')) found.push(fc.constant(schema['const']));
  if (Array.isArray(schema['enum']) && schema['enum'].length > 0)
    found.push(fc.constantFrom(...(schema['enum'] as unknown[])));
  for (const keyword of ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'multipleOf']) {
    const limit = schema[keyword];
    if (typeof limit === 'number') found.push(fc.constantFrom(limit - 0.5, limit, limit + 0.5, limit + 1));
  }
  if (/properties|required|Properties/.test(Object.keys(schema).join())) found.push(objectFor(schema, of));
  if ('items' in schema || 'prefixItems' in schema || 'contains' in schema) found.push(arrayFor(schema, of));
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const listed = schema[keyword];
    for (const each of Array.isArray(listed) ? (listed as unknown[]) : []) found.push(of(each));
  }
  for (const keyword of ['if', 'then', 'else', 'not']) if (keyword in schema) found.push(of(schema[keyword]));
  if (typeof schema['$ref'] === 'string' && typeof root === 'object') {
    found.push(of(((root['$defs'] ?? {}) as SchemaObject)[schema['$ref'].slice('#/$defs/'.length)]));
  }
  return fc.oneof(...found);
}

type Of = (schema: unknown) => fc.Arbitrary<unknown>;

function objectFor(schema: SchemaObject, of: Of): fc.Arbitrary<unknown> {
  const described = (schema['properties'] ?? {}) as SchemaObject;
  const others = [
    schema['additionalProperties'],
    ...Object.values((schema['patternProperties'] ?? {}) as SchemaObject),
  ];
  const other = fc.oneof(...others.map(of));
  const members = NAMES.map((each) => [each, Object.hasOwn(described, each) ? of(described[each]) : other]);
  const requiredKeys = ((schema['required'] ?? []) as string[]).filter((each) => NAMES.includes(each));
  return fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys,
    noNullPrototype: true,
  });
}

function arrayFor(schema: SchemaObject, of: Of): fc.Arbitrary<unknown> {
  const first = ((schema['prefixItems'] ?? []) as unknown[]).map(of);
  const item = fc.oneof(of(schema['items']), of(schema['contains'] ?? schema['items']));
  return fc
    .tuple(fc.tuple(...first), fc.array(item, { maxLength: 3 }), fc.nat({ max: 5 }))
    .map(([head, tail, length]) => [...head, ...tail].slice(0, length + 1));
}
