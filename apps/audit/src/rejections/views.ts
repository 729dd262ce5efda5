import type { LedgerRejection } from '@quittance/persistence';
import * as z from 'zod';

/** Input that was refused. */
export const rejectionSummary = z
  .object({
    id: z.string(),
    at: z.iso.datetime({ precision: 3 }),
    source: z.string().optional().describe('The source, of an inbound webhook.'),
    apiKey: z.string().optional().describe('The API key, where one was recognised.'),
    request: z.object({
      method: z.string(),
      path: z.string().describe('Without the query.'),
      address: z.string().describe('Whom it came from.'),
      userAgent: z.string().optional(),
      contentType: z.string().optional(),
      bodyBytes: z.int().describe('How many bytes of a body were received.'),
    }),
    answer: z.object({
      status: z.int(),
      code: z.string().describe('Stable, for programs.'),
      reason: z.string(),
      errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    }),
    traceId: z.string().optional(),
    suppressedBefore: z
      .int()
      .describe(
        "How many of the namespace's rejections were left out before this one, because there were too many.",
      ),
  })
  .meta({ id: 'RejectionSummary' });
export type RejectionSummary = z.infer<typeof rejectionSummary>;

/** With the body, as far as it was kept. */
export const rejectionView = rejectionSummary
  .extend({
    body: z
      .string()
      .optional()
      .describe('The body, where it is UTF-8; what looks like a credential is blotted out.'),
    bodyBase64: z.string().optional().describe('The body, where it is anything else.'),
    truncated: z.boolean().describe('True when there was, or may have been, more of a body than is shown.'),
  })
  .meta({ id: 'Rejection' });
export type RejectionView = z.infer<typeof rejectionView>;

export function summaryOf(row: Omit<LedgerRejection, 'body'>): RejectionSummary {
  return {
    id: row.id,
    at: row.at.toISOString(),
    ...(row.source !== null && { source: row.source }),
    ...(row.apiKey !== null && { apiKey: row.apiKey }),
    request: {
      method: row.method,
      path: row.path,
      address: row.address,
      ...(row.userAgent !== null && { userAgent: row.userAgent }),
      ...(row.contentType !== null && { contentType: row.contentType }),
      bodyBytes: row.bodyBytes,
    },
    answer: {
      status: row.status,
      code: row.code,
      reason: row.reason,
      ...(row.errors !== null && { errors: row.errors }),
    },
    ...(row.traceId !== null && { traceId: row.traceId }),
    suppressedBefore: row.suppressed,
  };
}
