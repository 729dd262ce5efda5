/** JSON Schema 2020-12. */
export type JsonSchema = SchemaObject | boolean;
export type SchemaObject = Readonly<Record<string, unknown>>;

/** A subschema, and where it stands in its document. */
export interface Located {
  schema: JsonSchema;
  pointer: string;
}

/** Keywords whose value is one schema. */
export const ONE_SCHEMA: readonly string[] = [
  'not',
  'if',
  'then',
  'else',
  'items',
  'contains',
  'additionalProperties',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
];
export const MANY_SCHEMAS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
export const NAMED_SCHEMAS = ['properties', 'patternProperties', 'dependentSchemas'];
const DEFINITIONS = ['$defs', 'definitions'];

/** They say something about data, and accept or refuse none. */
const ANNOTATIONS = new Set([
  ...DEFINITIONS,
  '$schema',
  '$id',
  '$anchor',
  '$dynamicAnchor',
  '$vocabulary',
  '$comment',
  'title',
  'description',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'example',
  'examples',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
]);

export function isAnnotation(keyword: string): boolean {
  return ANNOTATIONS.has(keyword) || keyword.startsWith('x-');
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

/** The schema that stands at a keyword; `undefined`: none does. */
export function schemaAt(schema: SchemaObject, keyword: string): JsonSchema | undefined {
  const value = schema[keyword];
  return isSchema(value) ? value : undefined;
}

export function schemasAt(schema: SchemaObject, keyword: string): JsonSchema[] {
  const value = schema[keyword];
  return Array.isArray(value) ? value.filter(isSchema) : [];
}

export function namedSchemasAt(schema: SchemaObject, keyword: string): [string, JsonSchema][] {
  const value = schema[keyword];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter(
    // The validator ignores this one name.
    (entry): entry is [string, JsonSchema] => isSchema(entry[1]) && entry[0] !== '__proto__',
  );
}

export function schemaNamed(schema: SchemaObject, keyword: string, name: string): JsonSchema | undefined {
  const map = schema[keyword];
  const isThere = typeof map === 'object' && map !== null && name !== '__proto__' && Object.hasOwn(map, name);
  const found = isThere ? (map as SchemaObject)[name] : undefined;
  return isSchema(found) ? found : undefined;
}

/** RFC 6901. */
export function pointerOf(...parts: (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The same text for the same JSON value, however its members are ordered. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`,
  );
  return `{${members.sort().join(',')}}`;
}

interface Home {
  root: JsonSchema;
  anchors: Map<string, Located>;
}

/** Where the subschemas of both documents belong: the same `$ref` means another thing in each. */
export class SchemaWorld {
  private readonly homes = new WeakMap<object, Home>();
  private readonly ids = new WeakMap<object, number>();
  private readonly derived = new Map<string, SchemaObject>();
  private count = 2;

  /** @returns a copy of the document, whose parts this world knows */
  settle(document: JsonSchema): JsonSchema {
    const root = structuredClone(document);
    this.adopt({ schema: root, pointer: '' }, { root, anchors: new Map() });
    return root;
  }

  idOf(schema: JsonSchema): number {
    if (typeof schema === 'boolean') return Number(schema);
    const known = this.ids.get(schema);
    if (known !== undefined) return known;
    this.ids.set(schema, this.count);
    return this.count++;
  }

  /** What `$ref` refers to; `undefined` without one, or when there is nothing. */
  target(schema: SchemaObject): Located | undefined {
    const reference = schema['$ref'];
    const home = this.homes.get(schema);
    if (typeof reference !== 'string' || home === undefined) return undefined;
    const fragment = decoded(reference.slice(1));
    if (fragment !== '' && !fragment.startsWith('/')) return home.anchors.get(fragment);
    let found: unknown = home.root;
    for (const part of fragment.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, key);
      found = isThere ? (found as SchemaObject)[key] : undefined;
    }
    if (!isSchema(found)) return undefined;
    const located = { schema: found, pointer: fragment };
    if (typeof found === 'object' && !this.homes.has(found)) this.adopt(located, home);
    return located;
  }

  /** A schema that stands in neither document, made of parts that do; always the same one for the same parts. */
  derive(keyword: string, parts: readonly JsonSchema[], make: () => SchemaObject): SchemaObject {
    return this.once(`${keyword} ${parts.map((part) => this.idOf(part)).join()}`, make);
  }

  negationOf(schema: JsonSchema): SchemaObject {
    return this.derive('not', [schema], () => ({ not: schema }));
  }

  /** Like `derive`, made of values only. */
  plain(schema: SchemaObject): SchemaObject {
    return this.once(canonicalText(schema), () => schema);
  }

  private once(key: string, make: () => SchemaObject): SchemaObject {
    const known = this.derived.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.derived.set(key, made);
    return made;
  }

  private adopt({ schema, pointer }: Located, home: Home): void {
    if (typeof schema === 'boolean' || this.homes.has(schema)) return;
    this.homes.set(schema, home);
    const anchor = schema['$anchor'];
    if (typeof anchor === 'string') home.anchors.set(anchor, { schema, pointer });
    for (const keyword of ONE_SCHEMA) {
      const child = schemaAt(schema, keyword);
      if (child !== undefined) this.adopt({ schema: child, pointer: pointer + pointerOf(keyword) }, home);
    }
    for (const keyword of MANY_SCHEMAS) {
      for (const [index, child] of schemasAt(schema, keyword).entries()) {
        this.adopt({ schema: child, pointer: pointer + pointerOf(keyword, index) }, home);
      }
    }
    for (const keyword of [...NAMED_SCHEMAS, ...DEFINITIONS]) {
      for (const [name, child] of namedSchemasAt(schema, keyword)) {
        this.adopt({ schema: child, pointer: pointer + pointerOf(keyword, name) }, home);
      }
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
