import {
  canonicalText,
  isAnnotation,
  isSchema,
  MANY_SCHEMAS,
  NAMED_SCHEMAS,
  ONE_SCHEMA,
  type JsonSchema,
  type SchemaObject,
  type SchemaWorld,
} from './schema-world.js';

/** Whether two schemas say the same, word for word, annotations and the names of definitions aside. */
export class Sameness {
  private readonly same = new Set<string>();
  private readonly different = new Set<string>();

  /** @param spend called for every pair that is looked at; throws when it was too many */
  constructor(
    private readonly world: SchemaWorld,
    private readonly spend: () => void,
  ) {}

  of(left: JsonSchema, right: JsonSchema): boolean {
    const key = this.keyOf(left, right);
    if (this.different.has(key)) return false;
    // Schemas that contain themselves are the same if nothing says otherwise. What was supposed on the way holds only if
    // the whole does.
    const supposed = new Set<string>();
    const found = this.compare(left, right, supposed);
    if (found) for (const each of supposed) this.same.add(each);
    else this.different.add(key);
    return found;
  }

  private compare(left: JsonSchema, right: JsonSchema, supposed: Set<string>): boolean {
    if (left === right) return true;
    if (typeof left === 'boolean' || typeof right === 'boolean') return false;
    const key = this.keyOf(left, right);
    if (this.same.has(key) || supposed.has(key)) return true;
    if (this.different.has(key)) return false;
    this.spend();
    supposed.add(key);
    const keywords = Object.keys(left).filter((keyword) => !isAnnotation(keyword));
    const others = Object.keys(right).filter((keyword) => !isAnnotation(keyword));
    return (
      keywords.length === others.length &&
      keywords.every(
        (keyword) => Object.hasOwn(right, keyword) && this.keyword(keyword, left, right, supposed),
      )
    );
  }

  private keyword(keyword: string, left: SchemaObject, right: SchemaObject, supposed: Set<string>): boolean {
    if (keyword === '$ref') {
      const [from, to] = [this.world.target(left), this.world.target(right)];
      return from !== undefined && to !== undefined && this.compare(from.schema, to.schema, supposed);
    }
    const [mine, theirs] = [left[keyword], right[keyword]];
    if (ONE_SCHEMA.includes(keyword)) {
      return isSchema(mine) && isSchema(theirs) && this.compare(mine, theirs, supposed);
    }
    if (MANY_SCHEMAS.includes(keyword) || NAMED_SCHEMAS.includes(keyword)) {
      return this.members(mine, theirs, supposed);
    }
    return sameText(mine, theirs);
  }

  private members(left: unknown, right: unknown, supposed: Set<string>): boolean {
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null)
      return false;
    const entries = Object.entries(left);
    return (
      entries.length === Object.keys(right).length &&
      entries.every(([name, mine]) => {
        const theirs = Object.hasOwn(right, name) ? (right as SchemaObject)[name] : undefined;
        return isSchema(mine) && isSchema(theirs) && this.compare(mine, theirs, supposed);
      })
    );
  }

  private keyOf(left: JsonSchema, right: JsonSchema): string {
    return `${this.world.idOf(left)}=${this.world.idOf(right)}`;
  }
}

/** Of keywords that hold no schemas. With a reference inside, the same text may mean another thing. */
export function sameText(left: unknown, right: unknown): boolean {
  const text = canonicalText(left);
  return text === canonicalText(right) && !text.includes('"$ref"');
}
