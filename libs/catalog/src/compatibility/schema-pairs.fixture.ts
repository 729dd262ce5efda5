import * as fc from 'fast-check';

import { dictionary, json, name, number, scalar } from './schema-values.fixture.js';

type Schema = Record<string, unknown> | boolean;

const PATTERNS = ['^x', '^[ab]$', '1$'];

const type = fc.constantFrom('null', 'boolean', 'object', 'array', 'string', 'integer', 'number');
const size = fc.integer({ min: 0, max: 3 });

function keywords(schema: fc.Arbitrary<Schema>): Record<string, fc.Arbitrary<unknown>> {
  const branches = fc.array(schema, { minLength: 1, maxLength: 3 });
  return {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 4 }),
    const: json,
    minimum: number,
    exclusiveMinimum: number,
    maximum: number,
    exclusiveMaximum: number,
    multipleOf: fc.constantFrom(0.5, 1, 2, 3, 6),
    minLength: size,
    maxLength: size,
    pattern: fc.constantFrom('^a', 'b', '^x'),
    format: fc.constantFrom('date', 'email'),
    properties: dictionary(name, schema, 3),
    patternProperties: dictionary(fc.constantFrom(...PATTERNS), schema, 2),
    additionalProperties: schema,
    propertyNames: schema,
    required: fc.uniqueArray(name, { maxLength: 2 }),
    dependentRequired: dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), 2),
    dependentSchemas: dictionary(name, schema, 2),
    minProperties: size,
    maxProperties: size,
    unevaluatedProperties: schema,
    prefixItems: fc.array(schema, { minLength: 1, maxLength: 2 }),
    items: schema,
    contains: schema,
    minItems: size,
    maxItems: size,
    uniqueItems: fc.boolean(),
    unevaluatedItems: schema,
    allOf: branches,
    anyOf: branches,
    oneOf: branches,
    not: schema,
    $ref: fc.constantFrom('#/$defs/p', '#/$defs/q'),
    title: fc.constant('of no importance'),
  };
}

const COMMON = [
  'type',
  'properties',
  'additionalProperties',
  'required',
  'items',
  'enum',
  'minimum',
  'oneOf',
];

const schema: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => {
  const all = keywords(tie('schema'));
  const keyword = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...COMMON) },
    { weight: 3, arbitrary: fc.constantFrom(...Object.keys(all)) },
  );
  const object = fc
    .uniqueArray(keyword, { minLength: 1, maxLength: 4 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((each) => [each, all[each]!])), { noNullPrototype: true }),
    );
  const conditional = fc.record(
    // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's
    { if: tie('schema'), then: tie('schema'), else: tie('schema') },
    { requiredKeys: ['if', 'then'], noNullPrototype: true },
  );
  const counted = fc.record(
    { contains: tie('schema'), minContains: size, maxContains: size },
    { requiredKeys: ['contains'], noNullPrototype: true },
  );
  return {
    schema: fc.oneof(
      { depthSize: 'small', maxDepth: 3 },
      fc.record({ type }),
      fc.boolean(),
      { weight: 6, arbitrary: object },
      conditional,
      counted,
    ) as fc.Arbitrary<Schema>,
  };
}).schema;

/** `p` may contain itself, further down in the data. */
const document: fc.Arbitrary<Schema> = fc
  .record({
    top: schema,
    p: fc.oneof(
      schema,
      fc.constant({ properties: { a: { $ref: '#/$defs/p' } }, type: ['object', 'integer'] }),
    ),
    q: schema,
  })
  .map(({ top, p, q }) => (typeof top === 'boolean' ? top : { ...top, $defs: { p, q } }));

interface Edit {
  where: number;
  kind: number;
  which: number;
  donor: Schema;
  /** One keyword more. */
  more: Record<string, unknown>;
}

/** What people change: one thing at a time. */
const more = fc.oneof(
  ...['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'].map((keyword) =>
    number.map((value) => ({ [keyword]: value })),
  ),
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'].map((keyword) =>
    size.map((value) => ({ [keyword]: value })),
  ),
  ...['additionalProperties', 'items', 'not', 'propertyNames', 'contains'].map((keyword) =>
    schema.map((value) => ({ [keyword]: value })),
  ),
  name.map((value) => ({ required: [value] })),
  schema.map((value) => ({ properties: { a: value } })),
  type.map((value) => ({ type: value })),
  fc.constant({ additionalProperties: false }),
  fc.constant({ uniqueItems: true }),
);

const edit: fc.Arbitrary<Edit> = fc.record({
  where: fc.nat(),
  kind: fc.nat(),
  which: fc.nat(),
  donor: schema,
  more,
});

/** A schema, and what somebody made of it: most of the pairs are alike, so that many are compatible. */
export const schemaPair: fc.Arbitrary<{ before: Schema; after: Schema }> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .record({
        before: document,
        edits: fc.array(edit, { minLength: 1, maxLength: 3 }),
        isTurned: fc.boolean(),
      })
      .map(({ before, edits, isTurned }) => {
        const after = edits.reduce(edited, structuredClone(before));
        return isTurned ? { before: after, after: before } : { before, after };
      }),
  },
  { weight: 1, arbitrary: fc.record({ before: document, after: document }) },
);

function edited(document: Schema, { where, kind, which, donor, more }: Edit): Schema {
  const nodes = objectsIn(document);
  const node = nodes[where % Math.max(nodes.length, 1)];
  if (node === undefined) return donor;
  const names = Object.keys(node).filter((name) => name !== '$defs');
  const chosen = names[which % Math.max(names.length, 1)];
  const given = Object.entries(typeof donor === 'boolean' ? { not: donor } : donor);
  switch (kind % 8) {
    case 0: // Say less.
      if (chosen !== undefined) delete node[chosen];
      break;
    case 1: // Say more.
      for (const [name, value] of given) node[name] = value;
      break;
    case 2: // Another bound, or another list.
      if (chosen !== undefined) node[chosen] = altered(node[chosen], which);
      break;
    case 3: // One of several, from now on.
      if (nodes.indexOf(node) > 0) replace(node, { anyOf: [{ ...node }, donor] });
      break;
    case 4:
      if (nodes.indexOf(node) > 0) replace(node, { oneOf: [{ ...node }, donor] });
      break;
    case 5:
    case 6:
      Object.assign(node, more);
      break;
    default: // Only put another way.
      if (nodes.indexOf(node) > 0) replace(node, { allOf: [{ ...node }] });
  }
  return document;
}

function replace(node: Record<string, unknown>, next: Record<string, unknown>): void {
  for (const name of Object.keys(node)) delete node[name];
  Object.assign(node, next);
}

function altered(value: unknown, which: number): unknown {
  if (typeof value === 'number') return Math.max(0, value + (which % 3) - 1) || 1;
  if (Array.isArray(value) && value.length > 1 && which % 2 === 0) return value.slice(1);
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) {
    return [...new Set([...(value as string[]), 'string'])];
  }
  if (value === 'integer') return 'number';
  return typeof value === 'boolean' ? !value : value;
}

/** Objects that are schemas, or maps of them: an edit of either makes a schema, or one that the compiler refuses. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const children = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? children : [value as Record<string, unknown>, ...children];
}
