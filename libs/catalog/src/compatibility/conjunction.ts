import type { Sameness } from './sameness.js';
import { additionalProperties, furtherItems, requiredBy, schemasMatching } from './schema-parts.js';
import {
  canonicalText,
  namedSchemasAt,
  schemaAt,
  schemaNamed,
  schemasAt,
  type JsonSchema,
  type SchemaObject,
  type SchemaWorld,
} from './schema-world.js';
import { ALL_TYPES, allowedTypes, typeOfValue, type ValueType } from './value-types.js';

export interface Tools {
  readonly world: SchemaWorld;
  readonly sameness: Sameness;
  /**
   * Called before work is done.
   * @param units of work, a few microseconds each
   * @throws TooComplexError when it was too much in all
   */
  spend(units: number): void;
}

/** Data is one of these; one of several that `before` lists, with what else is known in that case. */
export interface Case {
  index: number;
  count: number;
  conjunction: Conjunction;
}

const MAX_VALUE_CASES = 16;

/** What is known of data: that all of these schemas accept it. None: nothing is known. */
export class Conjunction {
  /** References and `allOf` are followed. */
  readonly schemas: readonly SchemaObject[];
  /** The same for the same knowledge. */
  readonly key: string;
  readonly types: ReadonlySet<ValueType>;
  /** All values that there can be, where they are listed. */
  readonly values: readonly unknown[] | undefined;
  private readonly isFalse: boolean;

  constructor(
    private readonly tools: Tools,
    schemas: readonly JsonSchema[],
    /** Lists of alternatives of which one was taken. */
    private readonly decided: ReadonlySet<SchemaObject> = new Set(),
    /** Which alternative of `before` this is, the innermost. */
    readonly choice?: { index: number; count: number },
  ) {
    tools.spend(schemas.length + 1);
    const found = new Map<number, JsonSchema>();
    for (const schema of schemas) this.add(found, schema);
    this.addConsequences(found);
    this.isFalse = found.has(0);
    this.key = [...found.keys()].sort((a, b) => a - b).join();
    this.schemas = [...found.values()].filter((schema) => typeof schema === 'object');
    const types = new Set<ValueType>(this.isFalse ? [] : ALL_TYPES);
    for (const schema of this.schemas) {
      const allowed = allowedTypes(schema);
      for (const type of types) if (!allowed.has(type)) types.delete(type);
    }
    this.values = this.listedValues(types);
    this.types = this.values ? new Set(this.values.map(typeOfValue)) : types;
  }

  /** No data is like that. `false` says nothing. */
  get isImpossible(): boolean {
    return this.isFalse || this.types.size === 0 || this.values?.length === 0;
  }

  and(...schemas: JsonSchema[]): Conjunction {
    return new Conjunction(this.tools, [...this.schemas, ...schemas], this.decided, this.choice);
  }

  /** Every name that is certain to be among an object's. */
  get required(): ReadonlySet<string> {
    return new Set(this.schemas.flatMap(requiredBy));
  }

  /** What is known of the value that an object has at this name. */
  property(name: string): Conjunction {
    const known: JsonSchema[] = [];
    for (const schema of this.schemas) {
      const described = schemaNamed(schema, 'properties', name);
      const matching = schemasMatching(schema, name);
      if (described !== undefined) known.push(described);
      for (const [, value] of matching) known.push(value);
      const additional = additionalProperties(schema);
      if (described === undefined && matching.length === 0 && additional !== undefined)
        known.push(additional);
    }
    return new Conjunction(this.tools, known);
  }

  /**
   * What is known of the value at a name that no `properties` lists.
   * @param pattern the name matches it; left out: it matches none of `others`
   */
  furtherProperty(pattern: string | undefined, others: ReadonlySet<string>): Conjunction {
    const known: JsonSchema[] = [];
    for (const schema of this.schemas) {
      const patterns = namedSchemasAt(schema, 'patternProperties');
      const own = patterns.find(([each]) => each === pattern);
      if (own) {
        known.push(own[1]);
        continue;
      }
      // Whether the name matches these, nobody can tell.
      const open = patterns.filter(([each]) => pattern !== undefined || !others.has(each));
      const alternatives = [...open.map(([, value]) => value), additionalProperties(schema) ?? true];
      if (alternatives.length === 1) known.push(alternatives[0]!);
      else
        known.push(
          this.tools.world.derive('anyOf', alternatives, () => ({ anyOf: alternatives as JsonSchema[] })),
        );
    }
    return new Conjunction(this.tools, known);
  }

  /** What is known of names: all of them, if a schema lists them. */
  get names(): Conjunction {
    const known: JsonSchema[] = [this.tools.world.plain({ type: 'string' })];
    for (const schema of this.schemas) {
      const names = schemaAt(schema, 'propertyNames');
      if (names !== undefined) known.push(names);
      if (additionalProperties(schema) !== false || namedSchemasAt(schema, 'patternProperties').length > 0)
        continue;
      const listed = namedSchemasAt(schema, 'properties').map(([name]) => name);
      known.push(listed.length === 0 ? false : this.tools.world.plain({ enum: listed }));
    }
    return new Conjunction(this.tools, known);
  }

  /** What is known of an array's item; `Infinity`: of one after all that are listed. */
  item(index: number): Conjunction {
    const known = this.schemas.map(
      (schema) => schemasAt(schema, 'prefixItems')[index] ?? furtherItems(schema),
    );
    return new Conjunction(
      this.tools,
      known.filter((schema) => schema !== undefined),
    );
  }

  /** The first list of alternatives that was not yet gone through, one by one. */
  cases(): Case[] {
    for (const schema of this.schemas) {
      if (this.decided.has(schema)) continue;
      const isOneOf = !('anyOf' in schema);
      const alternatives = schemasAt(schema, isOneOf ? 'oneOf' : 'anyOf');
      if (alternatives.length === 0 || this.knowsOneOf(alternatives)) continue;
      const decided = new Set(this.decided).add(schema);
      return alternatives.map((alternative, index) => {
        const excluded = isOneOf ? alternatives.filter((_, other) => other !== index) : [];
        const negations = excluded.map((other) => this.tools.world.negationOf(other));
        const choice = { index, count: alternatives.length };
        const known = [...this.schemas, alternative, ...negations];
        return { ...choice, conjunction: new Conjunction(this.tools, known, decided, choice) };
      });
    }
    return [];
  }

  /** One by one the values, or the types, that data can have. */
  kinds(): Conjunction[] {
    const { world } = this.tools;
    if (this.values !== undefined) {
      if (this.values.length < 2 || this.values.length > MAX_VALUE_CASES) return [];
      return this.values.map((value) => this.and(world.plain({ const: value })));
    }
    const names = new Set([...this.types].map((type) => (type === 'fraction' ? 'number' : type)));
    if (names.has('number')) names.delete('integer');
    return names.size < 2 ? [] : [...names].map((type) => this.and(world.plain({ type })));
  }

  private knowsOneOf(alternatives: readonly JsonSchema[]): boolean {
    return alternatives.some((each) => typeof each === 'object' && this.schemas.includes(each));
  }

  private add(found: Map<number, JsonSchema>, schema: JsonSchema): void {
    if (schema === true) return;
    const id = this.tools.world.idOf(schema);
    if (found.has(id)) return;
    found.set(id, schema);
    if (typeof schema === 'boolean') return;
    const target = this.tools.world.target(schema);
    if (target) this.add(found, target.schema);
    for (const each of schemasAt(schema, 'allOf')) this.add(found, each);
  }

  /** `then` holds where `if` is known to hold, `else` where it is known not to. */
  private addConsequences(found: Map<number, JsonSchema>): void {
    const { sameness } = this.tools;
    for (let size = -1; size !== found.size;) {
      size = found.size;
      const known = [...found.values()].filter((schema) => typeof schema === 'object');
      for (const schema of known) {
        const condition = schemaAt(schema, 'if');
        if (condition === undefined) continue;
        const isMet = known.some((each) => sameness.of(each, condition));
        const isNotMet = known.some((each) => {
          const negated = schemaAt(each, 'not');
          return negated !== undefined && sameness.of(negated, condition);
        });
        if (isMet) this.add(found, schemaAt(schema, 'then') ?? true);
        if (isNotMet) this.add(found, schemaAt(schema, 'else') ?? true);
      }
    }
  }

  private listedValues(types: ReadonlySet<ValueType>): readonly unknown[] | undefined {
    let values: readonly unknown[] | undefined;
    for (const schema of this.schemas) {
      const listed = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : undefined;
      this.tools.spend(listed?.length ?? 0);
      for (const list of [listed, Object.hasOwn(schema, 'const') ? [schema['const']] : undefined]) {
        if (list === undefined) continue;
        const allowed = new Set(list.map(canonicalText));
        values = (values ?? list).filter((value) => allowed.has(canonicalText(value)));
      }
    }
    const isSmall = [...types].every((type) => type === 'null' || type === 'boolean');
    if (values === undefined && isSmall) values = [null, true, false];
    return values?.filter((value) => types.has(typeOfValue(value)));
  }
}
