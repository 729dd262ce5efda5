import * as z from 'zod';

/** JSON Schema 2020-12: an object, or `true`/`false`. */
const jsonSchema = z.union([z.record(z.string(), z.unknown()), z.boolean()]);

export const eventTypeSpec = z.strictObject({
  description: z.string().max(4096).default(''),
  /** An event is checked against the last version. None: any data is accepted. */
  versions: z
    .array(z.strictObject({ version: z.string().min(1).max(63), schema: jsonSchema }))
    .max(50)
    .default([]),
});
export type EventTypeSpec = z.infer<typeof eventTypeSpec>;
