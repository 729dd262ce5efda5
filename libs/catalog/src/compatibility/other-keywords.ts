import { ARRAY_KEYWORDS } from './array-rules.js';
import { COMBINATION_KEYWORDS } from './combination-rules.js';
import { additionalProperties, furtherItems } from './schema-parts.js';
import { OBJECT_KEYWORDS } from './object-rules.js';
import { at, type Rule } from './question.js';
import { sameText } from './sameness.js';
import { isAnnotation, type SchemaObject } from './schema-world.js';
import { VALUE_KEYWORDS } from './value-rules.js';

const RULED = new Set([...VALUE_KEYWORDS, ...OBJECT_KEYWORDS, ...ARRAY_KEYWORDS, ...COMBINATION_KEYWORDS]);

/** Keywords of which is known only that they mean the same where they stand unchanged. */
export const otherKeywords: Rule = ({ before, after, place }) =>
  Object.keys(after)
    .filter((keyword) => !RULED.has(keyword) && !isAnnotation(keyword) && !isCovered(after, keyword))
    .filter((keyword) => !before.schemas.some((schema) => isUnchanged(schema, after, keyword)))
    .map((keyword) => at(place, `/${keyword}`, 'cannot be compared with what was there before'));

/** `unevaluated…` depends on everything beside it, unless it means what other keywords mean. */
function isCovered(after: SchemaObject, keyword: string): boolean {
  const value = after[keyword];
  if (keyword === 'unevaluatedProperties') {
    return value === true || 'additionalProperties' in after || additionalProperties(after) !== undefined;
  }
  if (keyword === 'unevaluatedItems') {
    return value === true || 'items' in after || furtherItems(after) !== undefined;
  }
  return false;
}

function isUnchanged(schema: SchemaObject, after: SchemaObject, keyword: string): boolean {
  if (keyword.startsWith('unevaluated') || !Object.hasOwn(schema, keyword)) return false;
  // `formatMinimum` and its like say something about the format beside them.
  if (keyword.startsWith('format') && schema['format'] !== after['format']) return false;
  return sameText(schema[keyword], after[keyword]);
}
