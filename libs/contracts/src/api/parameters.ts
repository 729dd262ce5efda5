import * as z from 'zod';

/** A JSON Schema, as OpenAPI 3.1 takes it. */
export type JsonSchema = Record<string, unknown>;

/**
 * What API documents say of a schema in place of what is made of it: for a schema that reads text, as all of a query is,
 * where clients think of a number.
 */
export const documentedAs = z.registry<JsonSchema>();

/** `?limit=`: how many items a page has at most. */
export function pageLimit(max: number, fallback: number) {
  const schema = z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, { error: `must be from 1 to ${max}` })
    .default(fallback)
    .describe('How many items the page has at most.');
  documentedAs.add(schema, {
    type: 'integer',
    minimum: 1,
    maximum: max,
    default: fallback,
    description: 'How many items the page has at most.',
  });
  return schema;
}

/** `?cursor=`: where the page begins. */
export const pageCursor = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_-]*$/, 'must be the "nextCursor" of the page before, unchanged')
  .describe('The `nextCursor` of the page before, unchanged. Left out: the first page.');

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .optional()
      .describe('Give it back as `cursor` for the next page; missing on the last one.'),
  });
}
