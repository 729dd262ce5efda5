import { DefinitionError } from './definition-error.js';

/** What is known of a schema's cost before it validates anything. */
export interface SchemaShape {
  /** Subschemas and listed values after following every reference. */
  cost: number;
  /** A subschema contains itself further down, so the data's depth decides what it costs. */
  recursive: boolean;
  /** `uniqueItems` compares every pair. */
  quadratic: boolean;
}

type Schema = Record<string, unknown> | boolean;
interface Walk extends SchemaShape {
  readonly root: Schema;
  readonly anchors: Map<string, Schema>;
  readonly known: Map<Schema, number>;
  subschemas: number;
  /** Subschemas being expanded, and whether only in-place keywords led to the next one. */
  readonly open: Map<Schema, 'here' | 'below'>;
}

export const MAX_SCHEMA_BYTES = 256 * 1024;
/** Chains of references double with each link: 30 of them are 10⁹ subschemas. */
const MAX_COST = 10_000;
/** The validator's generator takes 0.6 ms for each, and overflows its stack beyond 2,000. */
const MAX_SUBSCHEMAS = 1000;
const MAX_DEPTH = 100;

const HERE_ONE = ['not', 'if', 'then', 'else'];
const HERE_MANY = ['allOf', 'anyOf', 'oneOf'];
const BELOW_ONE = [
  'items',
  'contains',
  'additionalProperties',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const BELOW_MANY = ['prefixItems'];
const BELOW_NAMED = ['properties', 'patternProperties'];
const UNSUPPORTED: Record<string, string> = {
  $dynamicRef: 'use "$ref"',
  $recursiveRef: 'use "$ref"',
  $async: 'leave it out',
};

/**
 * Refuses schemas that load something, are too large, or explode.
 * @throws DefinitionError
 */
export function guardSchema(root: Schema): SchemaShape {
  if (Buffer.byteLength(JSON.stringify(root)) > MAX_SCHEMA_BYTES) {
    throw new DefinitionError('The schema is larger than 256 KiB.');
  }
  if (typeof root !== 'boolean') {
    const dialect = root['$schema'];
    if (
      dialect !== undefined &&
      !/^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(String(dialect))
    ) {
      throw new DefinitionError(
        `The schema says it is "${String(dialect).slice(0, 100)}": only JSON Schema 2020-12 is supported.`,
      );
    }
  }
  const walk: Walk = {
    root,
    anchors: new Map(),
    known: new Map(),
    subschemas: 0,
    open: new Map(),
    cost: 0,
    recursive: false,
    quadratic: false,
  };
  collect(root, walk, 0);
  walk.cost = expand(root, walk);
  return { cost: walk.cost, recursive: walk.recursive, quadratic: walk.quadratic };
}

/** Visits every subschema once, those that nothing refers to included. */
function collect(schema: Schema, walk: Walk, depth: number): void {
  if (typeof schema === 'boolean') return;
  if (++walk.subschemas > MAX_SUBSCHEMAS) {
    throw new DefinitionError(
      `The schema has more than ${MAX_SUBSCHEMAS} subschemas: describe less of the data.`,
    );
  }
  if (depth > MAX_DEPTH) throw new DefinitionError(`The schema is nested deeper than ${MAX_DEPTH} levels.`);
  for (const [keyword, advice] of Object.entries(UNSUPPORTED)) {
    if (keyword in schema) throw new DefinitionError(`"${keyword}" is not supported: ${advice}.`);
  }
  const { $ref: reference, $anchor: anchor } = schema;
  if (schema !== walk.root && schema['$id'] !== undefined) {
    throw new DefinitionError('"$id" is supported at the top of the schema only.');
  }
  if (reference !== undefined && (typeof reference !== 'string' || !reference.startsWith('#'))) {
    throw new DefinitionError(
      `"$ref": ${JSON.stringify(reference).slice(0, 200)} leads out of the schema, and nothing is loaded: copy it below "$defs".`,
    );
  }
  if (typeof anchor === 'string') walk.anchors.set(anchor, schema);
  if (schema['uniqueItems'] === true) walk.quadratic = true;
  for (const child of subschemas(
    schema,
    [...HERE_ONE, ...BELOW_ONE, 'contentSchema'],
    [...HERE_MANY, ...BELOW_MANY],
    [...BELOW_NAMED, 'dependentSchemas', '$defs', 'definitions'],
  )) {
    collect(child, walk, depth + 1);
  }
}

function expand(schema: Schema, walk: Walk): number {
  if (typeof schema === 'boolean') return 1;
  const known = walk.known.get(schema);
  if (known !== undefined) return known;
  if (walk.open.has(schema)) {
    // Everything from here to the schema that is open came about without going down: it would never end.
    const path = [...walk.open.entries()];
    const loop = path.slice(path.findIndex(([open]) => open === schema));
    if (loop.every(([, how]) => how === 'here')) {
      throw new DefinitionError('A subschema refers to itself without going deeper into the data.');
    }
    walk.recursive = true;
    return 1;
  }
  let cost = 1 + sizeOf(schema['enum']) + sizeOf(schema['required']);
  const add = (child: Schema, how: 'here' | 'below'): void => {
    walk.open.set(schema, how);
    cost += expand(child, walk);
    if (cost > MAX_COST) {
      throw new DefinitionError(
        `The schema expands to more than ${MAX_COST} subschemas: refer to the same subschema less often.`,
      );
    }
  };
  if (typeof schema['$ref'] === 'string') add(resolve(schema['$ref'], walk), 'here');
  for (const child of subschemas(schema, HERE_ONE, HERE_MANY, ['dependentSchemas'])) add(child, 'here');
  for (const child of subschemas(schema, BELOW_ONE, BELOW_MANY, BELOW_NAMED)) add(child, 'below');
  walk.open.delete(schema);
  walk.known.set(schema, cost);
  return cost;
}

function* subschemas(
  schema: Record<string, unknown>,
  one: readonly string[],
  many: readonly string[],
  named: readonly string[],
): Generator<Schema> {
  for (const keyword of one) if (isSchema(schema[keyword])) yield schema[keyword];
  for (const keyword of many) {
    const list = schema[keyword];
    if (Array.isArray(list)) for (const item of list) if (isSchema(item)) yield item;
  }
  for (const keyword of named) {
    const map = schema[keyword];
    if (isSchema(map)) for (const item of Object.values(map)) if (isSchema(item)) yield item;
  }
}

function resolve(reference: string, walk: Walk): Schema {
  const fragment = reference.slice(1);
  if (fragment === '') return walk.root;
  let found: unknown = walk.root;
  if (!fragment.startsWith('/')) found = walk.anchors.get(fragment);
  else {
    for (const part of fragment.slice(1).split('/')) {
      const key = decode(part).replaceAll('~1', '/').replaceAll('~0', '~');
      found =
        typeof found === 'object' && found !== null && Object.hasOwn(found, key)
          ? (found as Record<string, unknown>)[key]
          : undefined;
    }
  }
  if (!isSchema(found)) {
    throw new DefinitionError(`"$ref": "${reference.slice(0, 200)}" refers to nothing in this schema.`);
  }
  return found;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

function sizeOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}
