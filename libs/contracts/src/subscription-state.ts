import * as z from 'zod';
import { subscriptionKey } from './identity.js';
import { UnreadableRecordError, type IncomingRecord, type OutgoingRecord } from './kafka-record.js';
import { heldCode } from './outcome.js';

const epochMs = z.number().int();

/** Why a subscription is stopped: `suspended` by the first three, `disabled` by the others. */
const stopCode = z.enum([...heldCode.options, 'gone', 'failing']);
export type StopCode = z.infer<typeof stopCode>;

/**
 * What the dispatcher that owns a subscription learnt of it, for the next owner, the router and control. Written before
 * the offset of the record that it was learnt from is finished.
 */
export const subscriptionState = z.object({
  namespace: z.string(),
  subscription: z.string(),
  /** Of the resource: one made later under the same name is another. */
  uid: z.string(),
  /** The resource's `status.activation` that it was learnt under. */
  activation: z.number().int(),
  /** When it was written. */
  at: epochMs,
  /**
   * `suspended`: its events are held in the ledger until it is resumed. `disabled`: nothing is sent, nor kept for it.
   */
  stopped: z
    .object({
      kind: z.enum(['suspended', 'disabled']),
      at: epochMs,
      code: stopCode,
      /** For a person. */
      reason: z.string(),
    })
    .optional(),
  /** Since when every attempt failed. Missing while attempts succeed, and for failures of the last minute. */
  failingSince: epochMs.optional(),
  lastSuccessAt: epochMs.optional(),
  lastError: z
    .object({
      at: epochMs,
      code: z.string(),
      message: z.string(),
      status: z.number().int().nullable(),
      deliveryId: z.string(),
    })
    .optional(),
  /** Open, and half-open from `until` on or with its probe out; missing: closed. */
  breaker: z
    .object({
      /** Since when it has not been closed. */
      since: epochMs,
      /** Of the probe, while it is out: when an answer is there at the latest. */
      until: epochMs,
      /** The probe is out: nothing else is sent. */
      probing: z.boolean().optional(),
      /** How often it was opened since then: the pauses grow with it. */
      openings: z.number().int(),
    })
    .optional(),
  /** With strict order: the delivery that is tried, and when next. */
  head: z
    .object({
      deliveryId: z.string(),
      /** The number of the attempt that is to be made. */
      attempt: z.number().int(),
      dueAt: epochMs,
      /** Its last attempt failed then: nothing more is tried until someone resumes the subscription. */
      haltedAt: epochMs.optional(),
    })
    .optional(),
  /** The `id` of the last move whose old home has nothing left. */
  drained: z.string().optional(),
});
export type SubscriptionState = z.infer<typeof subscriptionState>;

/** One record of `subscription-state.v1`. */
export type SubscriptionStateChange =
  { change: 'put'; state: SubscriptionState } | { change: 'remove'; namespace: string; subscription: string };

export function encodeSubscriptionState(topic: string, state: SubscriptionState): OutgoingRecord {
  return {
    topic,
    key: subscriptionKey(state.namespace, state.subscription),
    value: Buffer.from(JSON.stringify(state)),
    headers: {},
  };
}

/** The subscription was deleted. */
export function encodeSubscriptionStateRemoval(
  topic: string,
  namespace: string,
  subscription: string,
): OutgoingRecord {
  return { topic, key: subscriptionKey(namespace, subscription), value: null, headers: {} };
}

/** @throws UnreadableRecordError when the record is none of a subscription's state */
export function decodeSubscriptionState(
  record: Pick<IncomingRecord, 'key' | 'value'>,
): SubscriptionStateChange {
  const [namespace, subscription] = (record.key?.toString() ?? '').split('/');
  if (!namespace || !subscription) {
    throw new UnreadableRecordError('The record has no key of the form namespace/subscription.');
  }
  if (record.value === null) return { change: 'remove', namespace, subscription };
  try {
    return { change: 'put', state: subscriptionState.parse(JSON.parse(record.value.toString())) };
  } catch (error) {
    throw new UnreadableRecordError(`The state of "${namespace}/${subscription}" does not parse.`, {
      cause: error,
    });
  }
}
