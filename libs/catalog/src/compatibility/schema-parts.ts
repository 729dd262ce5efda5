import { linearRegExp } from '../linear-regexp.js';
import { namedSchemasAt, schemaAt, type JsonSchema, type SchemaObject } from './schema-world.js';

/** Keywords that say of further schemas that they hold for the same data, and so know of its members. */
const IN_PLACE = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies'];

/** The `patternProperties` that a name matches. */
export function schemasMatching(schema: SchemaObject, name: string): [string, JsonSchema][] {
  return namedSchemasAt(schema, 'patternProperties').filter(([pattern]) => linearRegExp(pattern).test(name));
}

/** The schema of properties that neither `properties` nor `patternProperties` describes. */
export function additionalProperties(schema: SchemaObject): JsonSchema | undefined {
  return schemaAt(schema, 'additionalProperties') ?? unevaluated(schema, 'unevaluatedProperties');
}

/** The schema of items after `prefixItems`. */
export function furtherItems(schema: SchemaObject): JsonSchema | undefined {
  return (
    schemaAt(schema, 'items') ?? ('contains' in schema ? undefined : unevaluated(schema, 'unevaluatedItems'))
  );
}

/** Without further schemas for the same data, `unevaluated…` means what `additionalProperties` and `items` mean. */
function unevaluated(schema: SchemaObject, keyword: string): JsonSchema | undefined {
  return IN_PLACE.some((each) => each in schema) ? undefined : schemaAt(schema, keyword);
}

export function requiredBy(schema: SchemaObject): string[] {
  // The validator finds `toString` and its like in every object.
  return texts(schema['required']).filter((name) => !(name in Object.prototype));
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
