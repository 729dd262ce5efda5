import * as z from 'zod';

export const API_VERSION = 'quittance.dev/v1';

/** A DNS label, as Kubernetes names its objects. */
export const resourceName = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 lower-case letters, digits and "-", beginning and ending with a letter or digit',
  );

/** Types of the system's own events: nobody else may declare or publish them, and "*" does not want them. */
export const RESERVED_TYPE_PREFIX = 'quittance.';

/** CloudEvents types are dotted names: the one kind whose names may have dots and capitals. */
export const eventTypeName = z
  .string()
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?$/,
    'must be 1 to 253 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
  );

const labelText = z.string().max(253);

/** What a client may set of a resource's metadata. Name and namespace come from the path. */
export const metadataInput = z.strictObject({
  name: z.string().optional(),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  labels: z.record(labelText, z.string().max(63)).optional(),
  annotations: z.record(labelText, z.string().max(16_384)).optional(),
  generation: z.number().optional(),
  resourceVersion: z
    .string()
    .optional()
    .describe('When given, the write fails with 409 unless it is still the stored one.'),
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
});

export const metadata = z
  .object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    generation: z.number().int().describe('Counts changes of `spec`.'),
    resourceVersion: z.string().describe('Opaque; changes with every write.'),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Metadata' });
export type Metadata = z.infer<typeof metadata>;
