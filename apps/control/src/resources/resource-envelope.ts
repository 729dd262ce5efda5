import { API_VERSION, metadataInput } from '@quittance/contracts';
import * as z from 'zod';
import type { Kind } from './kinds.js';

const labelKey = z
  .string()
  .regex(
    /^[A-Za-z0-9]([-A-Za-z0-9_./]{0,251}[A-Za-z0-9])?$/,
    'must be 1 to 253 letters, digits, "-", "_", "." and "/"',
  );
const labelValue = z
  .string()
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    'must be at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit',
  );
/** What a selector can name must be what a label can be. */
const labels = z.record(labelKey, labelValue);

/**
 * The body of a PUT.
 * @param address what `metadata` must name, where it names anything; left out: any
 */
export function resourceEnvelope(kind: Kind, address?: { namespace: string; name: string }) {
  const named = (value: string | undefined): z.ZodType<string> =>
    value === undefined ? z.string() : z.literal(value, { error: `must be "${value}", as in the path` });
  return z.strictObject({
    apiVersion: z.literal(API_VERSION).optional(),
    kind: z.literal(kind.kind).optional(),
    metadata: metadataInput
      .extend({
        name: named(address?.name).optional().describe('If given, that of the path.'),
        namespace: named(address?.namespace).optional().describe('If given, that of the path.'),
        labels: labels.optional(),
      })
      .prefault({}),
    spec: kind.spec,
    ...secretsOf(kind),
    status: z
      .unknown()
      .optional()
      .describe(
        'Ignored: clients may send back what they were answered, and this is the platform’s part of it.',
      ),
  });
}

/** Kinds without secrets refuse the member, which is optional anyway: hence one type for both. */
function secretsOf({ secrets }: Kind): { secrets: z.ZodOptional<z.ZodType<object>> } {
  return (secrets ? { secrets: secrets.optional() } : {}) as { secrets: z.ZodOptional<z.ZodType<object>> };
}
