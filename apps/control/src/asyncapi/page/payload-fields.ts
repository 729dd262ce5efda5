import type { AsyncApiDocument } from '../asyncapi-document.js';

type Schema = Record<string, unknown> | boolean;
type SchemaObject = Record<string, unknown>;

/** One place in the payload. */
export interface PayloadField {
  /** `lines[].sku`; the payload itself is empty. */
  path: string;
  /** For a person: `string or null`. */
  type: string;
  isRequired: boolean;
  description: string;
  /** What values must be like, a sentence each. */
  constraints: string[];
}

const MAX_FIELDS = 500;
const MAX_DEPTH = 12;
/** Of an enumeration. */
const MAX_LISTED = 50;
const MAX_SHOWN = 200;

interface Place {
  path: string;
  isRequired: boolean;
  /** Schemas that this one is part of. */
  within: readonly Schema[];
  depth: number;
}

/** Lists what a message's payload is made of. References are followed; a schema inside itself is named, not repeated. */
export function payloadFields(document: AsyncApiDocument, payload: Schema): PayloadField[] {
  const fields: PayloadField[] = [];
  new Walk(document, fields).visit(payload, { path: '', isRequired: true, within: [], depth: 0 });
  return fields;
}

class Walk {
  constructor(
    private readonly document: AsyncApiDocument,
    private readonly fields: PayloadField[],
  ) {}

  visit(schema: Schema, place: Place): void {
    if (this.fields.length >= MAX_FIELDS) return;
    const parts = this.partsOf(schema);
    const isInside = parts.some((part) => place.within.includes(part));
    this.fields.push({
      path: place.path,
      type: schema === false ? 'nothing' : typeOf(parts),
      isRequired: place.isRequired,
      description: textAt(parts, 'description') ?? textAt(parts, 'title') ?? '',
      constraints: [
        ...parts.flatMap(constraintsOf),
        ...(isInside ? ['as described above'] : []),
        ...(parts.some(({ deprecated }) => deprecated === true) ? ['deprecated'] : []),
      ],
    });
    if (isInside || place.depth >= MAX_DEPTH) return;
    const below = { within: [...place.within, ...parts], depth: place.depth + 1 };
    const required = new Set(parts.flatMap((part) => texts(part['required'])));
    for (const part of parts) {
      for (const [name, value] of entries(part['properties'])) {
        this.visit(value, { path: joined(place.path, name), isRequired: required.has(name), ...below });
      }
      for (const [pattern, value] of entries(part['patternProperties'])) {
        this.visit(value, { path: joined(place.path, `/${pattern}/`), isRequired: false, ...below });
      }
      this.visitOthers(part, { ...place, ...below });
    }
  }

  private visitOthers(part: SchemaObject, { path, ...below }: Place): void {
    const visit = (schema: unknown, where: string): void => {
      if (isObject(schema)) this.visit(schema, { ...below, path: where, isRequired: false });
    };
    visit(part['additionalProperties'], joined(path, '*'));
    const { items } = part;
    if (Array.isArray(items)) {
      for (const [index, item] of items.entries()) visit(item, `${path}[${index}]`);
      visit(part['additionalItems'], `${path}[]`);
    } else visit(items, `${path}[]`);
    for (const keyword of ['oneOf', 'anyOf']) {
      const alternatives = part[keyword];
      if (!Array.isArray(alternatives)) continue;
      for (const [index, alternative] of alternatives.entries()) {
        visit(alternative, `${path} (${keyword === 'oneOf' ? 'either' : 'any'}, ${index + 1})`.trimStart());
      }
    }
  }

  /** A schema and all that holds together with it: what it refers to, and `allOf`. */
  private partsOf(schema: Schema, found: SchemaObject[] = []): SchemaObject[] {
    if (typeof schema === 'boolean' || found.includes(schema)) return found;
    if (typeof schema['$ref'] === 'string') {
      const target = this.targetOf(schema['$ref']);
      if (target !== undefined) this.partsOf(target, found);
    } else found.push(schema);
    if (Array.isArray(schema['allOf'])) {
      for (const part of schema['allOf']) if (isObject(part)) this.partsOf(part, found);
    }
    return found;
  }

  private targetOf(reference: string): SchemaObject | undefined {
    let found: unknown = this.document;
    for (const part of reference.slice(1).split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      const isThere = typeof found === 'object' && found !== null && Object.hasOwn(found, key);
      found = isThere ? (found as SchemaObject)[key] : undefined;
    }
    return isObject(found) ? found : undefined;
  }
}

function typeOf(parts: readonly SchemaObject[]): string {
  const named = parts.find(({ type }) => type !== undefined)?.['type'];
  if (named !== undefined) return [named].flat().map(String).join(' or ');
  if (parts.some(({ properties }) => properties !== undefined)) return 'object';
  if (parts.some(({ items }) => items !== undefined)) return 'array';
  return 'any';
}

const LIMITS: Record<string, string> = {
  minimum: 'at least',
  exclusiveMinimum: 'more than',
  maximum: 'at most',
  exclusiveMaximum: 'less than',
  multipleOf: 'a multiple of',
  minLength: 'characters: at least',
  maxLength: 'characters: at most',
  minItems: 'items: at least',
  maxItems: 'items: at most',
  minProperties: 'members: at least',
  maxProperties: 'members: at most',
  pattern: 'matches',
  format: 'format',
};

function constraintsOf(part: SchemaObject): string[] {
  const found = Object.entries(LIMITS)
    .filter(([keyword]) => part[keyword] !== undefined)
    .map(([keyword, words]) => `${words} ${String(part[keyword])}`);
  if (Object.hasOwn(part, 'const')) found.push(`exactly ${shown(part['const'])}`);
  if (Array.isArray(part['enum'])) {
    const listed = part['enum'].slice(0, MAX_LISTED).map(shown);
    const more = part['enum'].length - listed.length;
    found.push(`one of ${listed.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
  }
  if (part['uniqueItems'] === true) found.push('no item twice');
  if (part['additionalProperties'] === false) found.push('no other members');
  if (part['default'] !== undefined) found.push(`left out: ${shown(part['default'])}`);
  for (const keyword of ['not', 'if', 'contains', 'dependencies', 'unevaluatedProperties', 'propertyNames']) {
    if (part[keyword] !== undefined) found.push(`see "${keyword}" in the schema`);
  }
  return found;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function textAt(parts: readonly SchemaObject[], keyword: string): string | undefined {
  const value = parts.find((part) => typeof part[keyword] === 'string')?.[keyword];
  return typeof value === 'string' ? value : undefined;
}

function entries(value: unknown): [string, Schema][] {
  return isObject(value) ? (Object.entries(value) as [string, Schema][]) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** A name with other characters than these would be read as a path of its own. */
function joined(path: string, name: string): string {
  const shown = /^[\w$*/^-]+$/.test(name) ? name : JSON.stringify(name);
  return path === '' ? shown : `${path}.${shown}`;
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
