import * as z from 'zod';

/** JSON Schema 2020-12: an object, or `true`/`false`. */
const jsonSchema = z.union([z.record(z.string(), z.unknown()), z.boolean()]);

/** Still accepted, and said to be on its way out: publishers get `Deprecation` and `Sunset` headers. */
export const deprecation = z.strictObject({
  since: z.iso.datetime({ offset: true }).describe('RFC 3339.'),
  sunset: z.iso.datetime({ offset: true }).optional().describe('From when on it may be gone, RFC 3339.'),
  message: z.string().max(1024).default('').describe('What to do instead.'),
});
export type Deprecation = z.infer<typeof deprecation>;

export const eventTypeVersion = z.strictObject({
  version: z
    .string()
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/, 'must be 1 to 63 letters, digits, "-", "_" and "."')
    .describe('What `schemaversion` on an event names.'),
  schema: jsonSchema.describe(
    'A changed schema of the same version must accept whatever the one before accepted.',
  ),
  examples: z
    .array(z.unknown())
    .max(20)
    .default([])
    .describe('Data that the schema accepts. The first is what a test sends.'),
  deprecated: deprecation.optional(),
});
export type EventTypeVersion = z.infer<typeof eventTypeVersion>;

export const eventTypeSpec = z
  .strictObject({
    description: z.string().max(4096).default(''),
    versions: z
      .array(eventTypeVersion)
      .max(50)
      .default([])
      .describe(
        'An event is checked against the version that its attribute `schemaversion` names, else against the last one. None: any data is accepted.',
      ),
    deprecated: deprecation.optional(),
  })
  .meta({ id: 'EventTypeSpec' });
export type EventTypeSpec = z.infer<typeof eventTypeSpec>;
