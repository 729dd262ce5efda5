import type { Violation } from '../event-schema.js';
import type { Conjunction } from './conjunction.js';
import type { Sameness } from './sameness.js';
import type { JsonSchema, SchemaObject, SchemaWorld } from './schema-world.js';

/** Where in the new schema a question stands. */
export interface Place {
  /** A JSON pointer. */
  path: string;
  /** How many questions led to this one. */
  depth: number;
  /** How deep in the data it is. */
  level: number;
}

/** Does `after` accept all data that `before` is known to accept? */
export interface Question {
  before: Conjunction;
  after: SchemaObject;
  place: Place;
  proof: Sequel;
}

/** What rules need for the questions that follow from theirs. */
export interface Sequel {
  readonly world: SchemaWorld;
  readonly sameness: Sameness;
  knowing(...schemas: JsonSchema[]): Conjunction;
  prove(before: Conjunction, after: JsonSchema, place: Place): Violation[];
  areDisjoint(before: Conjunction, after: JsonSchema, place: Place): boolean;
}

/** Answers for some of a schema's keywords. All that apply must find nothing. */
export type Rule = (question: Question) => Violation[];

/** The schemas are beyond what can be compared in bounded time. */
export class TooComplexError extends Error {
  readonly code = 'too_complex';
  readonly retryable = false;
}

export function at({ path }: Pick<Place, 'path'>, keyword: string, message: string): Violation {
  return { path: path + keyword, message };
}

/** Further down in the schema, for the same data. */
export function here(place: Place, keyword: string): Place {
  return { path: place.path + keyword, depth: place.depth + 1, level: place.level };
}

/** Further down in the schema, and in the data. */
export function below(place: Place, keyword: string): Place {
  return { path: place.path + keyword, depth: place.depth + 1, level: place.level + 1 };
}

/** A value as it stands in a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
