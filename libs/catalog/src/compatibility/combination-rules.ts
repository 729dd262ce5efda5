import type { Violation } from '../event-schema.js';
import { at, here, type Question, type Rule } from './question.js';
import { pointerOf, schemaAt, schemasAt, type JsonSchema } from './schema-world.js';

const reference: Rule = ({ before, after, place, proof }) => {
  if (after['$ref'] === undefined) return [];
  const target = proof.world.target(after);
  if (target === undefined) return [at(place, '/$ref', 'refers to nothing')];
  return proof.prove(before, target.schema, { ...here(place, ''), path: target.pointer });
};

const allOf: Rule = ({ before, after, place, proof }) =>
  schemasAt(after, 'allOf').flatMap((schema, index) =>
    proof.prove(before, schema, here(place, pointerOf('allOf', index))),
  );

function attempts({ before, after, place, proof }: Question, keyword: string): Violation[][] {
  return schemasAt(after, keyword).map((schema, index) =>
    proof.prove(before, schema, here(place, pointerOf(keyword, index))),
  );
}

/** Why none of the alternatives will do: what is wrong with the one that is meant, if one can tell, or the closest. */
function refusals({ before, place }: Question, keyword: string, found: Violation[][]): Violation[] {
  const { choice } = before;
  const meant = choice?.count === found.length ? found[choice.index] : undefined;
  if (meant) return meant;
  const closest = found.reduce((best, each) => (each.length < best.length ? each : best), found[0] ?? []);
  const [first] = closest;
  const reason = first ? ` (${first.path.slice(place.path.length)}: ${first.message})` : '';
  return [at(place, `/${keyword}`, `none of these is certain to accept what was accepted before${reason}`)];
}

const anyOf: Rule = (question) => {
  if (!Array.isArray(question.after['anyOf'])) return [];
  const found = attempts(question, 'anyOf');
  return found.some((each) => each.length === 0) ? [] : refusals(question, 'anyOf', found);
};

const oneOf: Rule = (question) => {
  const { before, after, place, proof } = question;
  const alternatives = schemasAt(after, 'oneOf');
  if (alternatives.length === 0) return [];
  const found = attempts(question, 'oneOf');
  const fitting = found.flatMap((each, index) => (each.length === 0 ? [index] : []));
  if (fitting.length === 0) return refusals(question, 'oneOf', found);
  const isOnly = (index: number): boolean =>
    alternatives.every(
      (other, position) => position === index || proof.areDisjoint(before, other, here(place, '/oneOf')),
    );
  if (fitting.some(isOnly)) return [];
  return [at(place, '/oneOf', 'more than one of these may accept what was accepted before')];
};

const not: Rule = ({ before, after, place, proof }) => {
  const schema = schemaAt(after, 'not');
  if (schema === undefined || proof.areDisjoint(before, schema, here(place, '/not'))) return [];
  return [at(place, '/not', 'may refuse what was accepted before')];
};

const condition: Rule = ({ before, after, place, proof }) => {
  const schema = schemaAt(after, 'if');
  if (schema === undefined) return [];
  const sides: [string, JsonSchema][] = [
    ['then', schema],
    ['else', proof.world.negationOf(schema)],
  ];
  return sides.flatMap(([keyword, known]) =>
    proof.prove(before.and(known), schemaAt(after, keyword) ?? true, here(place, `/${keyword}`)),
  );
};

/** Keywords that put schemas together. */
export const combinationRules: readonly Rule[] = [reference, allOf, anyOf, oneOf, not, condition];

export const COMBINATION_KEYWORDS = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'];
