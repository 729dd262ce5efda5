import { eventTypeName, pageCursor, pageLimit, Problem, resourceName } from '@quittance/contracts';
import * as z from 'zod';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // oxlint-disable-next-line no-control-regex -- Postgres cannot hold it
    .regex(/^[^\u0000]*$/, 'must not contain NUL');

const time = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339, such as "2026-01-31T12:00:00Z"' })
  .transform((value) => new Date(value));

const page = {
  from: time.optional().describe('From this time on.'),
  to: time.optional().describe('Up to, and without, this time.'),
  limit: pageLimit(MAX_LIMIT, DEFAULT_LIMIT),
  cursor: pageCursor.optional(),
};

/** Event ids and sources are anything that CloudEvents allows; the path and query bound their length. */
const eventId = text(512);

export const namespaceParameter = resourceName;
export const subscriptionParameter = resourceName;
export const eventIdParameter = eventId;
export const deliveryIdParameter = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not a delivery id');

export const rejectionIdParameter = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not the id of a rejection');

export const storyQuery = z.strictObject({ source: text(2048).optional() });

export const eventListQuery = z.strictObject({ type: eventTypeName.optional(), ...page });
export type EventListQuery = z.output<typeof eventListQuery>;

export const deliveryListQuery = z.strictObject({
  subscription: resourceName.optional(),
  state: z.enum(['pending', 'held', 'delivered', 'dead']).optional(),
  type: eventTypeName.optional(),
  event: eventId.optional(),
  ...page,
});
export type DeliveryListQuery = z.output<typeof deliveryListQuery>;

export const summaryQuery = z.strictObject({
  uid: text(64).optional().describe('Only of this subscription, not of earlier ones of the same name.'),
});

export const rejectionListQuery = z.strictObject({
  source: resourceName.optional(),
  /** Any, not only those of this release: what another one recorded can be asked for too. */
  code: z
    .string()
    .regex(/^[a-z][a-z_]{0,63}$/, 'must be a problem code, such as "signature_invalid"')
    .optional(),
  ...page,
});
export type RejectionListQuery = z.output<typeof rejectionListQuery>;

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
