import { eventTypeName, Problem, resourceName } from '@quittance/contracts';
import * as z from 'zod';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !value.includes('\0'), { error: 'must not contain NUL' });

const time = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339, such as "2026-01-31T12:00:00Z"' })
  .transform((value) => new Date(value));

const page = {
  /** From this time on. */
  from: time.optional(),
  /** Up to, and without, this time. */
  to: time.optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= 1 && value <= MAX_LIMIT, { error: `must be from 1 to ${MAX_LIMIT}` })
    .default(DEFAULT_LIMIT),
  cursor: z.string().max(1024).optional(),
};

/** Event ids and sources are anything that CloudEvents allows; the path and query bound their length. */
const eventId = text(512);

export const namespaceParameter = resourceName;
export const eventIdParameter = eventId;
export const deliveryIdParameter = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not a delivery id');

export const storyQuery = z.strictObject({ source: text(2048).optional() });

export const eventListQuery = z.strictObject({ type: eventTypeName.optional(), ...page });
export type EventListQuery = z.output<typeof eventListQuery>;

export const deliveryListQuery = z.strictObject({
  subscription: resourceName.optional(),
  state: z.enum(['pending', 'delivered', 'dead']).optional(),
  type: eventTypeName.optional(),
  event: eventId.optional(),
  ...page,
});
export type DeliveryListQuery = z.output<typeof deliveryListQuery>;

/** @throws Problem `malformed_request`, naming every parameter that is wrong */
export function parseQuery<T>(schema: z.ZodType<T>, query: unknown): T {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message,
  }));
  const first = errors[0]!;
  const where = first.path === '' ? '' : `"${first.path}": `;
  throw new Problem('malformed_request', `The query is not understood: ${where}${first.message}`, { errors });
}

/** A part of the path that cannot name anything names nothing. */
export function parsePath<T>(schema: z.ZodType<T>, value: string, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem('not_found', `There is no such ${what}.`);
}
