import * as z from 'zod';
import { UnreadableRecordError, type IncomingRecord, type OutgoingRecord } from './kafka-record.js';

/** How many violations a `rejected` outcome lists. */
export const MAX_REJECTION_ERRORS = 20;

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

/** Why a subscription is suspended. */
export const heldCode = z.enum(['paused', 'unreachable', 'halted']);
export type HeldCode = z.infer<typeof heldCode>;

const routed = z.object({
  type: z.literal('routed'),
  ...about,
  /** The catalogue's revision that was routed with. */
  revision: z.number().int(),
  /** A great many make several records, each with a part of them; in everything else these records are the same. */
  matched: z.array(
    z.object({
      deliveryId: z.string(),
      subscription: z.string(),
      subscriptionUid: z.string(),
      /** It was not written to `deliveries.v1`: the subscription is suspended, and gets it when it is resumed. */
      held: heldCode.optional(),
    }),
  ),
  skipped: z.array(skipped).max(MAX_SKIPPED_LISTED),
  skippedCount: z.number().int(),
  /** A manual retry or a replay, to one subscription. */
  replay: z.boolean().optional(),
  /** Of a replay that asked the subscription's patterns and filter: what it skipped was no delivery before. */
  filtered: z.boolean().optional(),
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
  /** Which of the fallback URLs was asked last, from 1; left out when the first URL was. */
  fallback: z.number().int().optional(),
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

/**
 * The subscription is suspended: its delivery waits in the ledger, and is sent when the subscription is resumed. If an
 * attempt was made before that, its facts are here.
 */
const held = z.object({
  type: z.literal('held'),
  ...attempt,
  ...z.object(attemptMade).partial().shape,
  code: heldCode,
});

/** Input that was refused. It names no event: there is none. */
const rejected = z.object({
  type: z.literal('rejected'),
  /** Of this rejection, a UUIDv7. */
  id: z.string(),
  /** Epoch milliseconds. */
  at: z.number().int(),
  namespace: z.string(),
  /** The source's name, for an inbound webhook. */
  source: z.string().optional(),
  /** The API key's name, where one was recognised. */
  apiKey: z.string().optional(),
  method: z.string(),
  /** Without the query, which may carry credentials. */
  path: z.string(),
  /** Of the answer. */
  status: z.number().int(),
  /** The answer's problem code. */
  code: z.string(),
  /** For a person. */
  reason: z.string(),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .max(MAX_REJECTION_ERRORS)
    .optional(),
  /** Whom the request came from. */
  address: z.string(),
  userAgent: z.string().optional(),
  contentType: z.string().optional(),
  traceId: z.string().optional(),
  /** The body's size as far as it was read. */
  bodyBytes: z.number().int(),
  /** The body's beginning, base64, at most 64 KiB of it; what looks like a credential is blotted out. */
  body: z.string().optional(),
  /** How many rejections of this namespace were left out before this one, because there were too many. */
  suppressed: z.number().int(),
});

/** An API key was used. Written at most once a minute per key and instance. */
const keyUsed = z.object({
  type: z.literal('key-used'),
  at: z.number().int(),
  namespace: z.string(),
  name: z.string(),
  /** Of the key's resource. */
  uid: z.string(),
  /** The `<id>` of `qk_<id>_<secret>`: during a rotation it tells the old key from the new. */
  credentialId: z.string(),
});

const outcome = z.discriminatedUnion('type', [
  routed,
  duplicate,
  attempted,
  delivered,
  dead,
  held,
  rejected,
  keyUsed,
]);

/** One JSON record of `outcomes.v1`. Exactly one of `attempted`, `delivered`, `dead` and `held` follows each attempt. */
export type Outcome = z.infer<typeof outcome>;
export type RoutedOutcome = z.infer<typeof routed>;
export type DuplicateOutcome = z.infer<typeof duplicate>;
export type AttemptedOutcome = z.infer<typeof attempted>;
export type DeliveredOutcome = z.infer<typeof delivered>;
export type DeadOutcome = z.infer<typeof dead>;
export type HeldOutcome = z.infer<typeof held>;
export type RejectedOutcome = z.infer<typeof rejected>;
export type KeyUsedOutcome = z.infer<typeof keyUsed>;
export type AttemptOutcome = AttemptedOutcome | DeliveredOutcome | DeadOutcome | HeldOutcome;

export function encodeOutcome(topic: string, value: Outcome): OutgoingRecord {
  return {
    topic,
    key: keyOf(value),
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
  };
}

function keyOf(value: Outcome): string {
  if (value.type === 'rejected') return value.id;
  return value.type === 'key-used' ? value.uid : value.eventId;
}

/** @throws UnreadableRecordError when the record is no outcome */
export function decodeOutcome(record: IncomingRecord): Outcome {
  try {
    return outcome.parse(JSON.parse((record.value ?? Buffer.alloc(0)).toString()));
  } catch (error) {
    throw new UnreadableRecordError('The record is not an outcome.', { cause: error });
  }
}
