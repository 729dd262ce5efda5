import type { SchemaObject } from './schema-world.js';

/** JSON's types; numbers apart by whether they are whole, because `integer` is a type of JSON Schema. */
export type ValueType = 'null' | 'boolean' | 'object' | 'array' | 'string' | 'integer' | 'fraction';

export const ALL_TYPES: readonly ValueType[] = [
  'null',
  'boolean',
  'object',
  'array',
  'string',
  'integer',
  'fraction',
];

const EVERY: ReadonlySet<ValueType> = new Set(ALL_TYPES);

const NAMED: Record<string, readonly ValueType[]> = {
  null: ['null'],
  boolean: ['boolean'],
  object: ['object'],
  array: ['array'],
  string: ['string'],
  integer: ['integer'],
  number: ['integer', 'fraction'],
};

/** What `type` allows, and OpenAPI's `nullable` beside it. */
export function allowedTypes(schema: SchemaObject): ReadonlySet<ValueType> {
  const { type, nullable } = schema;
  if (type === undefined) return EVERY;
  const names = Array.isArray(type) ? (type as unknown[]) : [type];
  const allowed = names.flatMap((name) => NAMED[String(name)] ?? []);
  return new Set(nullable === true ? [...allowed, 'null'] : allowed);
}

export function typeOfValue(value: unknown): ValueType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'fraction';
    default:
      return 'object';
  }
}

/** For a person: `"string" or "null"`. */
export function typeNames(types: ReadonlySet<ValueType>): string {
  if (types.size === ALL_TYPES.length) return 'any type';
  const names = [...types]
    .filter((type) => type !== 'integer' || !types.has('fraction'))
    .map((type) => `"${type === 'fraction' ? 'number' : type}"`);
  return names.join(' or ');
}
