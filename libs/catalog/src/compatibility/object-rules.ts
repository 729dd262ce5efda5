import type { Violation } from '../event-schema.js';
import { additionalProperties, requiredBy, schemasMatching, texts } from './schema-parts.js';
import { at, below, here, shown, type Question, type Rule } from './question.js';
import { namedSchemasAt, pointerOf, schemaAt, schemaNamed, type JsonSchema } from './schema-world.js';
import { sizeRule } from './value-rules.js';

const required: Rule = ({ before, after, place }) => {
  const known = before.required;
  return requiredBy(after)
    .filter((name) => !known.has(name))
    .map((name) => at(place, '/required', `${shown(name)} is now required`));
};

/** Of a property that either schema names. */
function namedProperty(question: Question, name: string): Violation[] {
  const { before, after, place, proof } = question;
  const value = before.property(name);
  if (value.isImpossible) return [];
  const found: Violation[] = [];
  const described = schemaNamed(after, 'properties', name);
  if (described !== undefined) {
    const path = pointerOf('properties', name);
    const violations = proof.prove(value, described, below(place, path));
    const isNew = value.schemas.length === 0 && !isNamed(question, name);
    const message =
      'is new, yet any value was accepted there before: leave it out here, or describe it in a new version';
    found.push(...(isNew && violations.length > 0 ? [at(place, path, message)] : violations));
  }
  const matching = schemasMatching(after, name);
  for (const [pattern, schema] of matching) {
    found.push(...proof.prove(value, schema, below(place, pointerOf('patternProperties', pattern))));
  }
  const additional = additionalProperties(after);
  if (described !== undefined || matching.length > 0 || additional === undefined) return found;
  const path = pointerOf(additionalKeyword(question));
  if (additional !== false) return proof.prove(value, additional, below(place, path));
  return [at(place, path, `refuses the property ${shown(name)}, which was accepted before`)];
}

function isNamed({ before }: Question, name: string): boolean {
  return before.schemas.some((schema) => schemaNamed(schema, 'properties', name) !== undefined);
}

function additionalKeyword({ after }: Question): string {
  return schemaAt(after, 'additionalProperties') === undefined
    ? 'unevaluatedProperties'
    : 'additionalProperties';
}

const properties: Rule = (question) => {
  const { before, after, place, proof } = question;
  const patterns = namedSchemasAt(after, 'patternProperties');
  const additional = additionalProperties(after);
  // What only the old schema names matters where the new one says something of further names.
  const isAboutOthers = patterns.length > 0 || additional !== undefined;
  const naming = isAboutOthers ? [after, ...before.schemas] : [after];
  const names = new Set(
    naming.flatMap((schema) => namedSchemasAt(schema, 'properties').map(([name]) => name)),
  );
  const found = [...names].flatMap((name) => namedProperty(question, name));
  for (const [pattern, schema] of patterns) {
    const value = before.furtherProperty(pattern, new Set());
    found.push(...proof.prove(value, schema, below(place, pointerOf('patternProperties', pattern))));
  }
  if (additional === undefined) return found;
  const path = pointerOf(additionalKeyword(question));
  const value = before.furtherProperty(undefined, new Set(patterns.map(([pattern]) => pattern)));
  if (additional !== false) found.push(...proof.prove(value, additional, below(place, path)));
  else if (!value.isImpossible) {
    found.push(at(place, path, 'refuses properties that are not described, which were accepted before'));
  }
  return found;
};

const names: Rule = ({ before, after, place, proof }) => {
  const schema = schemaAt(after, 'propertyNames');
  return schema === undefined ? [] : proof.prove(before.names, schema, below(place, '/propertyNames'));
};

const dependencies: Rule = ({ before, after, place, proof }) => {
  const found: Violation[] = [];
  const known = before.required;
  for (const [name, needed] of Object.entries((after['dependentRequired'] ?? {}) as object)) {
    if (before.property(name).isImpossible) continue;
    const beside = new Set(
      before.schemas.flatMap((schema) =>
        texts((schema['dependentRequired'] as Record<string, unknown> | undefined)?.[name]),
      ),
    );
    for (const each of texts(needed)) {
      if (each === name || known.has(each) || beside.has(each)) continue;
      const path = pointerOf('dependentRequired', name);
      found.push(at(place, path, `${shown(each)} is now required beside ${shown(name)}`));
    }
  }
  for (const [name, schema] of namedSchemasAt(after, 'dependentSchemas')) {
    if (before.property(name).isImpossible) continue;
    const more: JsonSchema[] = before.schemas
      .flatMap((each) => namedSchemasAt(each, 'dependentSchemas'))
      .filter(([each]) => each === name)
      .map(([, each]) => each);
    const knowing = before.and(proof.world.plain({ type: 'object', required: [name] }), ...more);
    found.push(...proof.prove(knowing, schema, here(place, pointerOf('dependentSchemas', name))));
  }
  return found;
};

const size = (value: unknown): number | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.keys(value).length
    : undefined;

const forObjects =
  (rule: Rule): Rule =>
  (question) =>
    question.before.types.has('object') ? rule(question) : [];

/** Keywords about objects. */
export const objectRules: readonly Rule[] = [
  required,
  properties,
  names,
  dependencies,
  sizeRule({
    keyword: 'minProperties',
    kind: 'least',
    size,
    implied: (schema) => new Set(requiredBy(schema)).size,
  }),
  sizeRule({ keyword: 'maxProperties', kind: 'most', size }),
].map(forObjects);

export const OBJECT_KEYWORDS = [
  'required',
  'properties',
  'patternProperties',
  'additionalProperties',
  'propertyNames',
  'dependentRequired',
  'dependentSchemas',
  'minProperties',
  'maxProperties',
];
