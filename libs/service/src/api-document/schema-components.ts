import { documentedAs, type JsonSchema } from '@quittance/contracts';
import * as z from 'zod';

type Direction = 'input' | 'output';

const DEFINITION = '#/$defs/';
const COMPONENT = '#/components/schemas/';

/**
 * Turns zod schemas into JSON Schema. Those with an `id` in their metadata become components of the document: one of
 * that name, and a further `<id>Input` where what may be sent differs from what is answered (defaults are filled in).
 */
export class SchemaComponents {
  private readonly definitions: Record<Direction, Map<string, JsonSchema>> = {
    input: new Map(),
    output: new Map(),
  };

  /** References in the result are only right after {@link resolve}. */
  convert(schema: z.ZodType, direction: Direction): JsonSchema {
    // Wrapped, so that a schema with an id is a reference also when it is the outermost one.
    const { $defs, properties } = z.toJSONSchema(z.object({ schema }), {
      io: direction,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const instead = documentedAs.get(zodSchema);
        if (!instead) return;
        for (const member of Object.keys(jsonSchema)) delete jsonSchema[member as keyof typeof jsonSchema];
        Object.assign(jsonSchema, instead);
      },
    });
    for (const [id, definition] of Object.entries($defs ?? {})) {
      this.definitions[direction].set(id, marked(definition, direction) as JsonSchema);
    }
    return marked(properties?.['schema'], direction) as JsonSchema;
  }

  /** The document with its references as they must be, and the components that they lead to. */
  resolve<T>(document: T): { document: T; schemas: Record<string, JsonSchema> } {
    const apart = this.differing();
    const nameOf = (direction: string, id: string): string =>
      direction === 'input' && apart.has(id) ? `${id}Input` : id;
    const rename = (value: unknown): unknown =>
      mapReferences(value, (reference) => {
        const [direction = '', id = ''] = reference.split(':');
        return `${COMPONENT}${nameOf(direction, id)}`;
      });
    const schemas: Record<string, JsonSchema> = {};
    for (const direction of ['output', 'input'] as const) {
      for (const [id, definition] of this.definitions[direction]) {
        schemas[nameOf(direction, id)] = rename(definition) as JsonSchema;
      }
    }
    return { document: rename(document) as T, schemas: sorted(schemas) };
  }

  /** Ids whose two directions are not the same, in themselves or in what they refer to. */
  private differing(): Set<string> {
    const { input, output } = this.definitions;
    const apart = new Set<string>();
    const textOf = (definition: JsonSchema): string =>
      JSON.stringify(mapReferences(definition, (reference) => reference.replace(/^\w+:/, '')));
    const refersApart = (definition: JsonSchema): boolean => {
      let found = false;
      mapReferences(definition, (reference) => {
        found ||= apart.has(reference.replace(/^\w+:/, ''));
        return reference;
      });
      return found;
    };
    for (let before = -1; before !== apart.size;) {
      before = apart.size;
      for (const [id, definition] of input) {
        const other = output.get(id);
        if (other && (textOf(definition) !== textOf(other) || refersApart(definition))) apart.add(id);
      }
    }
    return apart;
  }
}

/** Refers to `<direction>:<id>` until all components are known. */
function marked(value: unknown, direction: Direction): unknown {
  return mapReferences(value, (reference) =>
    reference.startsWith(DEFINITION) ? `${direction}:${reference.slice(DEFINITION.length)}` : reference,
  );
}

function mapReferences(value: unknown, replace: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapReferences(item, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isReference =
        name === '$ref' && typeof member === 'string' && !member.startsWith('#/components/');
      return [name, isReference ? replace(member) : mapReferences(member, replace)];
    }),
  );
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
