import type { Violation } from '../event-schema.js';
import { arrayRules } from './array-rules.js';
import { combinationRules } from './combination-rules.js';
import { Conjunction } from './conjunction.js';
import { objectRules } from './object-rules.js';
import { at, Sequel, TooComplexError, type Place, type Question, type Rule } from './question.js';
import { otherKeywords } from './other-keywords.js';
import { Sameness } from './sameness.js';
import { SchemaWorld, type JsonSchema } from './schema-world.js';
import { valueRules } from './value-rules.js';

const MAX_VIOLATIONS = 20;
/** Some hundred milliseconds. */
const MAX_WORK = 150_000;
const MAX_DEPTH = 300;

const RULES: readonly Rule[] = [
  ...valueRules,
  ...objectRules,
  ...arrayRules,
  ...combinationRules,
  otherKeywords,
];

/**
 * Whether a changed schema still accepts whatever the one before accepted. What cannot be proven counts as a violation,
 * and says so; annotations (`title`, `description`, `examples`, `x-…`) never matter.
 * @param before,after JSON Schema 2020-12 that `compileEventSchema` took
 * @returns why not: pointers into the new schema, at most 20; none when it is proven
 */
export function checkCompatibility(before: JsonSchema, after: JsonSchema): Violation[] {
  const world = new SchemaWorld();
  const [known, asked] = [world.settle(before), world.settle(after)];
  const proof = new Proof(world);
  try {
    const found = proof.prove(proof.knowing(known), asked, { path: '', depth: 0, level: 0 });
    const distinct = new Map(
      found.map((violation) => [`${violation.path}\n${violation.message}`, violation]),
    );
    return [...distinct.values()].slice(0, MAX_VIOLATIONS);
  } catch (error) {
    if (!(error instanceof TooComplexError)) throw error;
    const message = 'is too complex to be compared with the schema before: put it into a new version';
    return [{ path: '', message }];
  }
}

/**
 * Proves that data which some schemas accept is accepted by another: keyword by keyword, and where that fails, for each
 * of the alternatives that the known schemas list.
 */
class Proof implements Sequel {
  readonly sameness: Sameness;
  private work = 0;
  /** What is being proven, and how deep in the data. */
  private readonly open = new Map<string, number>();

  constructor(readonly world: SchemaWorld) {
    this.sameness = new Sameness(world, () => this.spend(1));
  }

  knowing(...schemas: JsonSchema[]): Conjunction {
    return new Conjunction(this, schemas);
  }

  prove(before: Conjunction, after: JsonSchema, place: Place): Violation[] {
    this.enter(before, place);
    if (after === true || before.isImpossible) return [];
    if (after === false) return [at(place, '', 'accepts nothing, yet something was accepted here before')];
    if (before.schemas.some((schema) => this.sameness.of(schema, after))) return [];
    const key = `${before.key}<${this.world.idOf(after)}`;
    const level = this.open.get(key);
    if (level !== undefined) {
      // Schemas that contain themselves: for data that is nested less deeply it is being proven. For the same data this
      // would be going in a circle.
      return level < place.level ? [] : [at(place, '', 'cannot be compared with what was there before')];
    }
    this.open.set(key, place.level);
    try {
      const question = { before, after, place, proof: this };
      const direct = RULES.flatMap((rule) => rule(question));
      return direct.length === 0 ? [] : this.byCases(question, direct);
    } finally {
      this.open.delete(key);
    }
  }

  /** Whether no data is accepted by both. `false` when that cannot be proven. */
  areDisjoint(before: Conjunction, after: JsonSchema, place: Place): boolean {
    this.enter(before, place);
    const both = before.and(after);
    if (both.isImpossible) return true;
    const deeper = { ...place, depth: place.depth + 1 };
    if (both.types.size === 1 && both.types.has('object')) {
      for (const name of both.required) if (both.property(name).isImpossible) return true;
    }
    for (const { not } of both.schemas) {
      if (not !== undefined && this.prove(both, not as JsonSchema, deeper).length === 0) return true;
    }
    const cases = both.cases();
    return cases.length > 0 && cases.every(({ conjunction }) => this.areDisjoint(conjunction, true, deeper));
  }

  private byCases({ before, after, place }: Question, direct: Violation[]): Violation[] {
    const deeper = { ...place, depth: place.depth + 1 };
    const cases = before.cases().map(({ conjunction }) => conjunction);
    const isCombined = 'anyOf' in after || 'oneOf' in after || 'if' in after || 'not' in after;
    for (const each of cases.length > 0 ? cases : isCombined ? before.kinds() : []) {
      // The same knowledge as before: nothing is won.
      const found = each.key === before.key ? direct : this.prove(each, after, deeper);
      if (found.length === 0) continue;
      const isVague = direct.every(({ path }) => /^\/(anyOf|oneOf)$/.test(path.slice(place.path.length)));
      return isVague ? found : direct;
    }
    return cases.length > 0 || (isCombined && before.kinds().length > 0) ? [] : direct;
  }

  spend(units: number): void {
    this.work += units;
    if (this.work > MAX_WORK) throw new TooComplexError();
  }

  private enter(before: Conjunction, { depth }: Place): void {
    if (depth > MAX_DEPTH) throw new TooComplexError();
    this.spend(before.schemas.length + 1);
  }
}
