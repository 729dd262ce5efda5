import { pageCursor, pageLimit, Problem } from '@quittance/contracts';
import * as z from 'zod';

export const DEFAULT_RECOVERY_RATE = 100;

const time = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339, such as "2026-01-31T12:00:00Z"' })
  .transform((value) => new Date(value));

/** The body that asks for a replay. */
export const replayRequest = z
  .strictObject({
    since: time.describe(
      'Events accepted from this time on, and those that were given up from then on because the subscription was disabled.',
    ),
    until: time
      .optional()
      .describe(
        'And up to this time. Left out, or later than now: now, give or take what clocks differ (5 s).',
      ),
    rate: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(DEFAULT_RECOVERY_RATE)
      .describe('Events per second, evenly spaced.'),
  })
  .meta({ id: 'ReplayRequest' });
export type ReplayRequest = z.output<typeof replayRequest>;

export const replayIdParameter = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not the id of a replay');

export const replayListQuery = z.strictObject({
  kind: z.enum(['recover', 'held', 'probe']).optional(),
  limit: pageLimit(200, 50),
  cursor: pageCursor.optional(),
});
export type ReplayListQuery = z.output<typeof replayListQuery>;

/** @throws Problem `malformed_request` with all that is wrong in `errors: [{path, message}]` */
export function parseReplayRequest(body: unknown): ReplayRequest {
  const result = replayRequest.safeParse(body === undefined ? {} : body);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({
    path: path.map((part) => `/${String(part)}`).join(''),
    message,
  }));
  const first = errors[0]!;
  throw new Problem('malformed_request', `${first.path || 'The body'}: ${first.message}`, { errors });
}
