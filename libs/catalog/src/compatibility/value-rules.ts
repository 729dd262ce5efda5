import type { Violation } from '../event-schema.js';
import { linearRegExp } from '../linear-regexp.js';
import type { Conjunction } from './conjunction.js';
import { at, shown, type Rule } from './question.js';
import { canonicalText, type SchemaObject } from './schema-world.js';
import { allowedTypes, typeNames } from './value-types.js';

const type: Rule = ({ before, after, place }) => {
  const allowed = allowedTypes(after);
  if ([...before.types].every((each) => allowed.has(each))) return [];
  return [at(place, '/type', `was ${typeNames(before.types)}, now ${typeNames(allowed)}`)];
};

const listed: Rule = ({ before, after, place }) => {
  const found: Violation[] = [];
  for (const keyword of ['enum', 'const']) {
    if (!Object.hasOwn(after, keyword)) continue;
    const list = keyword === 'const' ? [after['const']] : (after['enum'] as unknown[]);
    const allowed = new Set(list.map(canonicalText));
    const refused = before.values?.find((value) => !allowed.has(canonicalText(value)));
    if (before.values === undefined) {
      found.push(at(place, `/${keyword}`, 'accepts listed values only, which was not so before'));
    } else if (refused !== undefined) {
      found.push(at(place, `/${keyword}`, `${shown(refused)} is not accepted any more`));
    }
  }
  return found;
};

/** The lowest (`sign` 1) or highest (`sign` -1, all values negated) number that there can be. */
interface Edge {
  value: number;
  isExcluded: boolean;
}

function edgeOf(before: Conjunction, sign: 1 | -1): Edge {
  const [inclusive, exclusive] =
    sign === 1 ? ['minimum', 'exclusiveMinimum'] : ['maximum', 'exclusiveMaximum'];
  let edge: Edge = { value: -Infinity, isExcluded: false };
  const raise = (value: number, isExcluded: boolean): void => {
    if (value > edge.value || (value === edge.value && isExcluded)) edge = { value, isExcluded };
  };
  for (const schema of before.schemas) {
    const [included, excluded] = [schema[inclusive], schema[exclusive]];
    if (typeof included === 'number') raise(sign * included, false);
    if (typeof excluded === 'number') raise(sign * excluded, true);
  }
  if (before.values) {
    const numbers = before.values.filter((value) => typeof value === 'number');
    raise(Math.min(...numbers.map((value) => sign * value)), false);
  }
  return edge;
}

const range: Rule = ({ before, after, place }) => {
  if (!before.types.has('integer') && !before.types.has('fraction')) return [];
  const found: Violation[] = [];
  for (const [keyword, sign, isExcluded] of [
    ['minimum', 1, false],
    ['exclusiveMinimum', 1, true],
    ['maximum', -1, false],
    ['exclusiveMaximum', -1, true],
  ] as const) {
    const limit = after[keyword];
    if (typeof limit !== 'number') continue;
    const edge = edgeOf(before, sign);
    const isInside =
      edge.value > sign * limit || (edge.value === sign * limit && (edge.isExcluded || !isExcluded));
    if (isInside) continue;
    const was = Number.isFinite(edge.value) ? String(sign * edge.value) : 'without limit';
    found.push(at(place, `/${keyword}`, `was ${was}${edge.isExcluded ? ' (excluded)' : ''}, now ${limit}`));
  }
  return found;
};

const multipleOf: Rule = ({ before, after, place }) => {
  const step = after['multipleOf'];
  const isNumber = before.types.has('integer') || before.types.has('fraction');
  if (typeof step !== 'number' || !isNumber) return [];
  if (step === 1 && !before.types.has('fraction')) return [];
  const steps = before.schemas
    .map((schema) => schema['multipleOf'])
    .filter((each) => typeof each === 'number');
  const isFiner = (each: number): boolean =>
    each === step || (Number.isInteger(each) && Number.isInteger(step) && each % step === 0);
  if (steps.some(isFiner)) return [];
  return [at(place, '/multipleOf', `was ${steps[0] ?? 'without limit'}, now ${step}`)];
};

/** A keyword that bounds a size, and what is known of that size. */
export interface SizeLimit {
  keyword: string;
  kind: 'least' | 'most';
  /** Of a value that is listed; `undefined`: the keyword says nothing about such a value. */
  size(value: unknown): number | undefined;
  /** What else a schema says about it. */
  implied?(schema: SchemaObject): number | undefined;
}

export function sizeRule({ keyword, kind, size, implied }: SizeLimit): Rule {
  return ({ before, after, place }) => {
    const limit = after[keyword];
    if (typeof limit !== 'number') return [];
    const known = before.schemas.flatMap((schema) => [schema[keyword], implied?.(schema)]);
    const sizes = before.values?.map(size).filter((each) => each !== undefined);
    if (sizes) known.push(kind === 'least' ? Math.min(...sizes) : Math.max(...sizes));
    const limits = known.filter((each) => typeof each === 'number');
    const was = kind === 'least' ? Math.max(0, ...limits) : Math.min(Infinity, ...limits);
    if (kind === 'least' ? was >= limit : was <= limit) return [];
    const text = was === 0 || was === Infinity ? 'without limit' : String(was);
    return [at(place, `/${keyword}`, `was ${text}, now ${limit}`)];
  };
}

const length = (value: unknown): number | undefined =>
  typeof value === 'string' ? [...value].length : undefined;

const pattern: Rule = ({ before, after, place }) => {
  const now = after['pattern'];
  if (typeof now !== 'string' || !before.types.has('string')) return [];
  if (before.schemas.some((schema) => schema['pattern'] === now)) return [];
  const strings = before.values?.filter((value) => typeof value === 'string');
  if (strings?.every((text) => linearRegExp(now).test(text))) return [];
  return [at(place, '/pattern', changed(before, 'pattern', now))];
};

const format: Rule = ({ before, after, place }) => {
  const now = after['format'];
  const isRelevant = (['string', 'integer', 'fraction'] as const).some((each) => before.types.has(each));
  if (now === undefined || !isRelevant) return [];
  if (before.schemas.some((schema) => schema['format'] === now)) return [];
  return [at(place, '/format', changed(before, 'format', now))];
};

function changed(before: Conjunction, keyword: string, now: unknown): string {
  const was = before.schemas.find((schema) => schema[keyword] !== undefined)?.[keyword];
  return `was ${was === undefined ? 'without one' : shown(was)}, now ${shown(now)}`;
}

const forStrings =
  (rule: Rule): Rule =>
  (question) =>
    question.before.types.has('string') ? rule(question) : [];

/** Keywords about values as they are, without their parts. */
export const valueRules: readonly Rule[] = [
  type,
  listed,
  range,
  multipleOf,
  forStrings(sizeRule({ keyword: 'minLength', kind: 'least', size: length })),
  forStrings(sizeRule({ keyword: 'maxLength', kind: 'most', size: length })),
  pattern,
  format,
];

export const VALUE_KEYWORDS = [
  'type',
  'nullable',
  'enum',
  'const',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'format',
];
