import * as z from 'zod';
import { UnreadableRecordError, type IncomingRecord, type OutgoingRecord } from './kafka-record.js';

/** How many subscriptions that wanted the type but did not match a `routed` outcome lists; the rest is a count. */
export const MAX_SKIPPED_LISTED = 100;

const about = {
  /** Epoch milliseconds. */
  at: z.number().int(),
  namespace: z.string(),
  eventId: z.string(),
  eventSource: z.string(),
  traceId: z.string().optional(),
};

const skipped = z.object({
  subscription: z.string(),
  subscriptionUid: z.string(),
  /** Stable code: `filter_false`, `filter_error`, `deleted`, … */
  code: z.string(),
  /** For a person. */
  reason: z.string(),
});
/** A subscription that wanted the type, yet gets nothing. */
export type Skipped = z.infer<typeof skipped>;

const routed = z.object({
  type: z.literal('routed'),
  ...about,
  /** The catalogue's revision that was routed with. */
  revision: z.number().int(),
  matched: z.array(
    z.object({ deliveryId: z.string(), subscription: z.string(), subscriptionUid: z.string() }),
  ),
  skipped: z.array(skipped).max(MAX_SKIPPED_LISTED),
  skippedCount: z.number().int(),
  /** A manual retry or a replay, to one subscription. */
  replay: z.boolean().optional(),
});

const duplicate = z.object({
  type: z.literal('duplicate'),
  ...about,
  /** The same identity came with another body: recorded, not delivered. */
  conflict: z.boolean(),
});

const attempt = {
  ...about,
  deliveryId: z.string(),
  subscription: z.string(),
  subscriptionUid: z.string(),
};
const attemptMade = {
  /** Of this one attempt: a repetition after a crash has its own. */
  attemptId: z.string(),
  /** From 1. */
  attempt: z.number().int(),
  /** The answer's HTTP status; `null` when there was none. */
  status: z.number().int().nullable(),
  durationMs: z.number(),
  /** The start of the answer: at most 8 KiB of a failure, 256 B of a success. */
  response: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
};

/** An attempt failed, and another one follows at `nextAt`. */
const attempted = z.object({
  type: z.literal('attempted'),
  ...attempt,
  ...attemptMade,
  nextAt: z.number().int(),
});
/** An attempt succeeded. */
const delivered = z.object({ type: z.literal('delivered'), ...attempt, ...attemptMade });
/** The delivery was given up: after its last attempt, or before any (`attemptId` is missing then). */
const dead = z.object({
  type: z.literal('dead'),
  ...attempt,
  ...z.object(attemptMade).partial().shape,
  error: z.object({ code: z.string(), message: z.string() }),
});

const outcome = z.discriminatedUnion('type', [routed, duplicate, attempted, delivered, dead]);

/** One JSON record of `outcomes.v1`. Exactly one of `attempted`, `delivered` and `dead` follows each attempt. */
export type Outcome = z.infer<typeof outcome>;
export type RoutedOutcome = z.infer<typeof routed>;
export type DuplicateOutcome = z.infer<typeof duplicate>;
export type AttemptedOutcome = z.infer<typeof attempted>;
export type DeliveredOutcome = z.infer<typeof delivered>;
export type DeadOutcome = z.infer<typeof dead>;
export type AttemptOutcome = AttemptedOutcome | DeliveredOutcome | DeadOutcome;

export function encodeOutcome(topic: string, value: Outcome): OutgoingRecord {
  return {
    topic,
    key: value.eventId,
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
  };
}

/** @throws UnreadableRecordError when the record is no outcome */
export function decodeOutcome(record: IncomingRecord): Outcome {
  try {
    return outcome.parse(JSON.parse((record.value ?? Buffer.alloc(0)).toString()));
  } catch (error) {
    throw new UnreadableRecordError('The record is not an outcome.', { cause: error });
  }
}
