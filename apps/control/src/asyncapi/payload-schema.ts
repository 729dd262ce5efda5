import { ONE_SCHEMA, type JsonSchema } from '@quittance/catalog';

type SchemaObject = Record<string, unknown>;

const MANY = new Set(['allOf', 'anyOf', 'oneOf']);
const NAMED = new Set(['properties', 'patternProperties']);
const DEFINITIONS = new Set(['$defs', 'definitions']);
const DATA = new Set(['const', 'enum', 'default', 'examples', 'example']);
/** They say how a document is read on its own; here it is part of another one. */
const DROPPED = new Set(['$schema', '$id', '$anchor', '$dynamicAnchor', '$vocabulary']);

/**
 * JSON Schema 2020-12 as AsyncAPI's own schemas have it, which are a superset of draft 7: what has another name there
 * is renamed, and references lead to where the schema stands. `unevaluated…`, for which draft 7 has nothing, stays.
 * @param pointer of the schema in the AsyncAPI document, such as `#/components/schemas/order`
 */
export function payloadSchema(schema: JsonSchema, pointer: string): JsonSchema {
  return new Translation(schema).of(schema, pointer);
}

class Translation {
  /** Where each subschema has come to stand. */
  private readonly pointers = new Map<object, string>();
  private readonly anchors = new Map<string, object>();
  private readonly references: { from: SchemaObject; node: SchemaObject; text: string }[] = [];

  constructor(private readonly root: JsonSchema) {}

  of(schema: JsonSchema, pointer: string): JsonSchema {
    const translated = this.translate(schema, pointer);
    for (const { from, node, text } of this.references) {
      const target = this.targetOf(text);
      if (target !== undefined) node['$ref'] = target;
      else delete from['allOf'];
    }
    return translated;
  }

  private translate(schema: JsonSchema, pointer: string): JsonSchema {
    if (typeof schema === 'boolean') return schema;
    this.pointers.set(schema, pointer);
    if (typeof schema['$anchor'] === 'string') this.anchors.set(schema['$anchor'], schema);
    const result: SchemaObject = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (DROPPED.has(keyword) || keyword === '$ref') continue;
      // Tools follow `$ref` wherever it stands, also where it is somebody's data.
      if (DATA.has(keyword) && holdsReference(value)) continue;
      set(result, keyword, this.keyword(keyword, value, pointer));
    }
    this.renamed(schema, result, pointer);
    if (typeof schema['$ref'] === 'string') this.refer(schema['$ref'], result);
    return result;
  }

  private keyword(keyword: string, value: unknown, pointer: string): unknown {
    const here = `${pointer}/${escaped(keyword)}`;
    if (ONE_SCHEMA.includes(keyword) && isSchema(value)) return this.translate(value, here);
    if (MANY.has(keyword) && Array.isArray(value)) return this.list(value, here);
    if (DEFINITIONS.has(keyword) && isSchema(value)) return this.map(withPlainNames(value), here);
    if (NAMED.has(keyword) && isSchema(value)) return this.map(value, here);
    return value;
  }

  private renamed(schema: SchemaObject, result: SchemaObject, pointer: string): void {
    const { prefixItems, items, dependentRequired, dependentSchemas, type, nullable } = schema;
    if (Array.isArray(prefixItems)) {
      delete result['prefixItems'];
      result['items'] = this.list(prefixItems, `${pointer}/items`);
      if (isSchema(items)) result['additionalItems'] = this.translate(items, `${pointer}/additionalItems`);
    }
    if (isSchema(dependentRequired) || isSchema(dependentSchemas)) {
      delete result['dependentRequired'];
      delete result['dependentSchemas'];
      const schemas = isSchema(dependentSchemas) ? this.map(dependentSchemas, `${pointer}/dependencies`) : {};
      result['dependencies'] = { ...(dependentRequired as object | undefined), ...schemas };
    }
    if (nullable === true && type !== undefined) {
      delete result['nullable'];
      result['type'] = [...new Set([type, 'null'].flat())];
    }
    // In draft 7 it would want one.
    if (schema['minContains'] === 0) delete result['contains'];
  }

  /** In draft 7 nothing counts beside `$ref`. */
  private refer(text: string, result: SchemaObject): void {
    const node: SchemaObject = {};
    this.references.push({ from: result, node, text });
    result['allOf'] = [...((result['allOf'] as unknown[] | undefined) ?? []), node];
  }

  private list(schemas: readonly unknown[], pointer: string): unknown[] {
    return schemas.map((schema, index) =>
      isSchema(schema) ? this.translate(schema, `${pointer}/${index}`) : schema,
    );
  }

  private map(schemas: JsonSchema, pointer: string): SchemaObject {
    const result: SchemaObject = {};
    for (const [name, schema] of Object.entries(schemas)) {
      // Tools take a property of this name for a reference.
      if (name === '$ref') continue;
      set(result, name, isSchema(schema) ? this.translate(schema, `${pointer}/${escaped(name)}`) : schema);
    }
    return result;
  }

  private targetOf(reference: string): string | undefined {
    const fragment = decoded(reference.slice(1));
    let found: unknown = this.root;
    if (fragment !== '' && !fragment.startsWith('/')) found = this.anchors.get(fragment);
    else {
      for (const part of fragment.split('/').slice(1)) {
        const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
        const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, key);
        found = isThere ? (found as SchemaObject)[key] : undefined;
      }
    }
    return typeof found === 'object' && found !== null ? this.pointers.get(found) : undefined;
  }
}

/** Names of definitions matter to references only, and those are made anew. */
function withPlainNames(definitions: JsonSchema): SchemaObject {
  const result: SchemaObject = {};
  for (const [name, schema] of Object.entries(definitions)) {
    let plain = name.replaceAll(/[^\w.-]/g, '_');
    while (plain !== name && Object.hasOwn(definitions as object, plain)) plain += '_';
    while (Object.hasOwn(result, plain)) plain += '_';
    set(result, plain, schema);
  }
  return result;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

/** Also where the name is `__proto__`. */
function set(target: SchemaObject, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Whether a value would be taken for a reference, or has one inside. */
export function holdsReference(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, member]) => name === '$ref' || holdsReference(member));
}

/** As a part of a JSON pointer in a URI fragment. */
export function escaped(part: string): string {
  // Not more than has to be: tools take `%24defs` and `$defs` for two places, and follow a circle without end.
  return encodeURI(part.replaceAll('~', '~0').replaceAll('/', '~1')).replaceAll('#', '%23');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
