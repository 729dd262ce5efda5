import * as z from 'zod';
import { parseDuration } from '../duration.js';

/**
 * A duration in its text form, such as `15s`.
 * @param range the bounds for a person, such as `100ms to 60s`
 */
export const durationText = (minMs: number, maxMs: number, range: string) =>
  z
    .string()
    .regex(/^[0-9]{1,9}(ms|s|m|h|d)$/, {
      error: `must be a duration from ${range}, such as "15s"`,
      abort: true,
    })
    .refine(
      (text) => {
        try {
          const ms = parseDuration(text);
          return ms >= minMs && ms <= maxMs;
        } catch {
          return false;
        }
      },
      { error: `must be a duration from ${range}, such as "15s"` },
    );

/** A token bucket. Every instance of ingest has its own: with n instances up to n times as much is let through. */
export const rateLimit = z.strictObject({
  rate: z.number().min(0.01).max(1_000_000).describe('Events per second, on the average.'),
  burst: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .describe(
      'Events that may come at once after a silence. Left out: as many as come in a second, at least 1.',
    ),
});
export type RateLimit = z.infer<typeof rateLimit>;

/** `203.0.113.0/24`, `2001:db8::/32`. */
export const cidr = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'must be a range of addresses in CIDR form, such as "203.0.113.0/24" or "2001:db8::/32"',
});
