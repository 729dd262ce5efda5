import type { Violation } from '../event-schema.js';
import { furtherItems } from './schema-parts.js';
import { at, below, type Rule } from './question.js';
import { pointerOf, schemaAt, schemasAt, type SchemaObject } from './schema-world.js';
import { sizeRule, type SizeLimit } from './value-rules.js';

const items: Rule = ({ before, after, place, proof }) => {
  const found: Violation[] = [];
  const listed = schemasAt(after, 'prefixItems');
  for (const [index, schema] of listed.entries()) {
    found.push(...proof.prove(before.item(index), schema, below(place, pointerOf('prefixItems', index))));
  }
  const further = furtherItems(after);
  if (further === undefined) return found;
  const path = pointerOf(schemaAt(after, 'items') === undefined ? 'unevaluatedItems' : 'items');
  const known = Math.max(...before.schemas.map((schema) => schemasAt(schema, 'prefixItems').length), 0);
  for (let index = listed.length; index < known; index++) {
    found.push(...proof.prove(before.item(index), further, below(place, path)));
  }
  found.push(...proof.prove(before.item(Infinity), further, below(place, path)));
  return found;
};

const contains: Rule = ({ before, after, place, proof }) => {
  const schema = schemaAt(after, 'contains');
  if (schema === undefined) return [];
  const found: Violation[] = [];
  const least = numberAt(after, 'minContains') ?? 1;
  const most = numberAt(after, 'maxContains') ?? Infinity;
  const deeper = below(place, '/contains');
  const others = before.schemas.flatMap((each) => {
    const contained = schemaAt(each, 'contains');
    return contained === undefined ? [] : [{ each, contained }];
  });
  const isCertain = others.some(
    ({ each, contained }) =>
      (numberAt(each, 'minContains') ?? 1) >= least &&
      proof.prove(proof.knowing(contained), schema, deeper).length === 0,
  );
  if (least > 0 && !isCertain) {
    found.push(at(place, '/contains', 'wants an item that was not certain to be there before'));
  }
  const isBounded = others.some(
    ({ each, contained }) =>
      (numberAt(each, 'maxContains') ?? Infinity) <= most &&
      proof.prove(proof.knowing(schema), contained, deeper).length === 0,
  );
  if (most < Infinity && !isBounded) {
    found.push(at(place, '/maxContains', 'allows fewer such items than there could be before'));
  }
  return found;
};

const uniqueItems: Rule = ({ before, after, place }) => {
  const isCertain = before.schemas.some(
    (schema) => schema['uniqueItems'] === true || (most(schema) ?? Infinity) <= 1,
  );
  return after['uniqueItems'] !== true || isCertain
    ? []
    : [at(place, '/uniqueItems', 'items could be the same before')];
};

/** How many items there can be. */
function most(schema: SchemaObject): number | undefined {
  const limit = numberAt(schema, 'maxItems');
  const listed = furtherItems(schema) === false ? schemasAt(schema, 'prefixItems').length : undefined;
  return limit === undefined || listed === undefined ? (limit ?? listed) : Math.min(limit, listed);
}

function numberAt(schema: SchemaObject, keyword: string): number | undefined {
  const value = schema[keyword];
  return typeof value === 'number' ? value : undefined;
}

const size: SizeLimit['size'] = (value) => (Array.isArray(value) ? value.length : undefined);

const forArrays =
  (rule: Rule): Rule =>
  (question) =>
    question.before.types.has('array') ? rule(question) : [];

/** Keywords about arrays. */
export const arrayRules: readonly Rule[] = [
  items,
  contains,
  uniqueItems,
  sizeRule({ keyword: 'minItems', kind: 'least', size }),
  sizeRule({ keyword: 'maxItems', kind: 'most', size, implied: most }),
].map(forArrays);

export const ARRAY_KEYWORDS = [
  'prefixItems',
  'items',
  'contains',
  'minContains',
  'maxContains',
  'uniqueItems',
  'minItems',
  'maxItems',
];
