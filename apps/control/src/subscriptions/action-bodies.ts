import * as z from 'zod';

/** The body of a resumption. */
export const resumption = z.strictObject({
  skip: z
    .string()
    .regex(/^dlv_[A-Za-z0-9_-]{27}$/, 'must be the id of a delivery, "dlv_" and 27 characters')
    .optional()
    .describe(
      'With strict order: the delivery that is in the way. It is given up, and the ones behind it follow. Left out: it is tried again, from its first attempt.',
    ),
});

/** The body of a move. */
export const relocation = z.strictObject({
  partition: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('Of `deliveries.v1`. Left out: one that no other subscription uses.'),
});
