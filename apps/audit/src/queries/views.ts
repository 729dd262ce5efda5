import type { DeliveryState, LedgerDelivery } from '@quittance/persistence';
import * as z from 'zod';

/** RFC 3339 in UTC, with milliseconds. */
const time = z.iso.datetime({ precision: 3 });

const failureView = z.object({
  code: z.string().describe('Stable, for programs.'),
  message: z.string(),
});
export type Failure = z.infer<typeof failureView>;

export const eventSummary = z
  .object({
    id: z.string(),
    source: z.string(),
    type: z.string(),
    subject: z.string().nullable(),
    acceptedAt: time,
    traceId: z.string().nullable(),
    routedAt: time.nullable().describe('`null` while the router has not recorded it.'),
  })
  .meta({ id: 'EventSummary' });
export type EventSummary = z.infer<typeof eventSummary>;

const deliveryState = z.enum([
  'pending',
  'held',
  'delivered',
  'dead',
] as const satisfies readonly DeliveryState[]);

const deliveryFactsView = z.object({
  id: z.string(),
  subscription: z.string(),
  state: deliveryState,
  createdAt: time,
  deliveredAt: time.optional(),
  nextAttemptAt: time.optional().describe('Only of a pending delivery that has failed before.'),
  held: z
    .object({ code: z.string().describe('Stable, for programs.'), reason: z.string() })
    .optional()
    .describe('Only of a held delivery: why it waits, and for what.'),
  error: failureView.nullable().describe('Why it was given up; `null` unless it is dead.'),
});
export type DeliveryFacts = z.infer<typeof deliveryFactsView>;

export const deliverySummary = deliveryFactsView
  .extend({
    event: z.object({ id: z.string(), source: z.string(), type: z.string().nullable() }),
    attemptCount: z.number().int(),
  })
  .meta({ id: 'DeliverySummary' });
export type DeliverySummary = z.infer<typeof deliverySummary>;

const attemptView = z
  .object({
    id: z.string(),
    number: z.number().int().describe('From 1; begins anew when a delivery is retried by hand.'),
    at: time,
    status: z.number().int().nullable().describe("The answer's HTTP status; `null` when there was none."),
    durationMs: z.number().nullable(),
    error: failureView.nullable(),
    response: z.string().nullable().describe("The start of the answer's body."),
  })
  .meta({ id: 'Attempt' });
export type AttemptView = z.infer<typeof attemptView>;

const deliveryStory = deliveryFactsView
  .extend({
    attempts: z.array(attemptView).describe('In the order in which they were made; the last 100.'),
    retries: z.array(z.object({ at: time, by: z.string() })).describe('Retries that were asked for by hand.'),
  })
  .meta({ id: 'DeliveryStory' });
export type DeliveryStory = z.infer<typeof deliveryStory>;

/** Everything that is known of an event. What its own record tells is null until that record has arrived. */
export const eventStory = z
  .object({
    id: z.string(),
    source: z.string(),
    type: z.string().nullable(),
    subject: z.string().nullable(),
    time: z.string().nullable().describe('As the publisher wrote it.'),
    contentType: z.string().nullable(),
    acceptedAt: time.nullable(),
    traceId: z.string().nullable(),
    routedAt: time.nullable(),
    skipped: z
      .array(z.object({ subscription: z.string(), code: z.string(), reason: z.string() }))
      .describe('Subscriptions that wanted the type, yet got nothing; at most 100 are listed.'),
    skippedCount: z.number().int(),
    deliveries: z
      .array(deliveryStory)
      .describe('In order of creation; the first 500, the others by `…/deliveries?event=`.'),
    duplicates: z
      .number()
      .int()
      .describe('How often the same event came again without being delivered again.'),
    conflicts: z.number().int().describe('Of these, how often with another body.'),
    data: z.unknown().optional().describe('The data, where they are JSON.'),
    dataBase64: z.string().optional().describe('The data, where they are anything else.'),
  })
  .meta({ id: 'EventStory' });
export type EventStoryView = z.infer<typeof eventStory>;

export const acceptedRetry = z.object({
  id: z.string(),
  state: deliveryState.describe(
    '`delivered` when the delivery was delivered before: a further attempt does not change that.',
  ),
});
export type AcceptedRetry = z.infer<typeof acceptedRetry>;

const cappedCount = z.object({
  count: z.number().int(),
  isCapped: z.boolean().describe('There are more than that.'),
});
export type CappedCount = z.infer<typeof cappedCount>;

export const deliveriesSummary = z
  .object({
    pending: cappedCount,
    held: cappedCount,
    dead: cappedCount,
    oldestPendingAt: time.nullable(),
    oldestHeldAt: time.nullable(),
    nextAttemptAt: time.nullable().describe('Of the pending deliveries that have failed before.'),
    lastDeliveredAt: time.nullable().describe('Among the newest 10,000 deliveries.'),
  })
  .meta({ id: 'DeliveriesSummary' });
export type DeliveriesSummary = z.infer<typeof deliveriesSummary>;

/** One page of a list. */
export interface Page<T> {
  items: T[];
  nextCursor?: string;
}

type Facts = Pick<
  LedgerDelivery,
  | 'id'
  | 'subscription'
  | 'state'
  | 'createdAt'
  | 'deliveredAt'
  | 'nextAttemptAt'
  | 'errorCode'
  | 'errorMessage'
>;

export function deliveryFacts(row: Facts): DeliveryFacts {
  const { state } = row;
  return {
    id: row.id,
    subscription: row.subscription,
    state,
    createdAt: row.createdAt.toISOString(),
    ...(row.deliveredAt && { deliveredAt: row.deliveredAt.toISOString() }),
    ...(state === 'pending' && row.nextAttemptAt && { nextAttemptAt: row.nextAttemptAt.toISOString() }),
    ...(state === 'held' && { held: { code: row.errorCode ?? '', reason: row.errorMessage ?? '' } }),
    error: state === 'dead' ? failure(row.errorCode, row.errorMessage) : null,
  };
}

export function failure(code: string | null, message: string | null): Failure | null {
  return code === null ? null : { code, message: message ?? '' };
}
