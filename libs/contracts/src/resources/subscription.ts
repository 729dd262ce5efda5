import * as z from 'zod';
import { durationText } from './limits.js';

/** `order.completed`, `order.*` (everything below `order.`), or `*` (everything but reserved types). */
const eventPattern = z
  .string()
  .regex(
    /^(\*|[A-Za-z0-9][-A-Za-z0-9_.]{0,251}(\.\*)?)$/,
    'must be an event type, a prefix followed by ".*", or "*"',
  );

export const bodyFormat = z.enum(['standard', 'cloudevents', 'cloudevents-binary', 'data']);
export type BodyFormat = z.infer<typeof bodyFormat>;

const webhookUrl = z
  .string()
  .max(2048)
  .refine(
    (text) => {
      if (!URL.canParse(text)) return false;
      const url = new URL(text);
      return (
        (url.protocol === 'http:' || url.protocol === 'https:') &&
        url.username === '' &&
        url.password === '' &&
        url.hash === ''
      );
    },
    { error: 'must be an http or https URL without credentials and fragment' },
  )
  .meta({ format: 'uri' });

export const subscriptionSpec = z
  .strictObject({
    description: z.string().max(4096).default(''),
    events: z.array(eventPattern).min(1).max(100),
    filter: z
      .string()
      .min(1)
      .max(8192)
      .meta({ format: 'cel-boolean' })
      .optional()
      .describe('CEL over `event`, to a boolean.'),
    transform: z
      .string()
      .min(1)
      .max(16_384)
      .meta({ format: 'cel' })
      .optional()
      .describe('CEL over `event`, to the value that is sent as data.'),
    destination: z.strictObject({
      webhook: z.strictObject({
        url: webhookUrl,
        fallbackUrls: z
          .array(webhookUrl)
          .max(5)
          .meta({ uniqueItems: true })
          .default([])
          .describe('Tried in order, within the same attempt, when `url` is down.'),
        timeout: durationText(100, 60_000, '100ms to 60s')
          .default('15s')
          .describe('Of one request, from connecting to the end of the answer.'),
      }),
    }),
    format: bodyFormat.default('standard'),
    paused: z.boolean().default(false).describe('Nothing is sent; what comes meanwhile is sent after that.'),
    signing: z
      .strictObject({
        asymmetric: z
          .boolean()
          .default(false)
          .describe('Sign with ed25519 (`v1a`) too: whoever has the public key can verify, and cannot sign.'),
      })
      .prefault({}),
    delivery: z
      .strictObject({
        concurrency: z.number().int().min(1).max(1000).default(32).describe('Requests under way at once.'),
        rateLimit: z
          .strictObject({
            rate: z.number().min(0.01).max(100_000).describe('Requests per second, evenly spaced.'),
          })
          .optional()
          .describe('Left out: as fast as the subscriber answers.'),
        ordering: z
          .enum(['none', 'strict'])
          .default('none')
          .describe(
            '`strict`: in the order of publication per `partitionkey`, one at a time; needs a home partition of its own.',
          ),
        whenExhausted: z
          .enum(['halt', 'skip'])
          .default('halt')
          .describe(
            'With `strict`, after the last attempt: `halt` until someone resumes, or `skip` the event and go on.',
          ),
        hold: durationText(1000, 6 * 86_400_000, '1s to 6d')
          .optional()
          .describe(
            'Paused or unreachable for longer, the subscription is suspended: its events are held in the ledger. Left out: 1h on a shared home partition, 3d on one of its own.',
          ),
        retry: z
          .strictObject({
            schedule: z
              .array(z.string().max(16).meta({ format: 'retry-step' }))
              .max(50)
              .optional()
              .describe(
                "Steps of the installation's retry ladder, in order; as many retries as steps. Left out: the whole ladder.",
              ),
          })
          .prefault({}),
      })
      .prefault({}),
  })
  .meta({ id: 'SubscriptionSpec' });
export type SubscriptionSpec = z.infer<typeof subscriptionSpec>;

const epochMs = z.number().int();

/** A home that is being moved: what stands in the old partition is dealt with before the new one begins. */
const subscriptionMove = z.object({
  /** Of this move. */
  id: z.string(),
  from: z.number().int(),
  startedAt: epochMs,
  /** The offset of `from` below which its last record stands, once that is known. */
  fence: z.string().optional(),
});
export type SubscriptionMove = z.infer<typeof subscriptionMove>;

/** What control decided. What dispatchers learnt stands in `subscription-state.v1`. */
export const subscriptionStatus = z.object({
  state: z.enum(['active']),
  partition: z.number().int().describe('The home partition on `deliveries.v1`.'),
  activation: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe(
      'Counts resumptions. What was learnt under an earlier one (suspended, disabled) counts no more.',
    ),
  skip: z
    .string()
    .optional()
    .describe('The delivery that was given up by the last resumption, with `strict`.'),
  pausedAt: epochMs.optional().describe('Since when `spec.paused` is set, epoch milliseconds.'),
  move: subscriptionMove.optional(),
});
export type SubscriptionStatus = z.infer<typeof subscriptionStatus>;

/** A sealed key that was rotated away, and signs until its time is over. */
const formerSecret = z.object({ sealed: z.string(), validUntil: z.iso.datetime({ offset: true }) });
export type FormerSecret = z.infer<typeof formerSecret>;

/** Signing keys, each sealed under the master key: an attempt carries a signature by every one that is valid. */
export const subscriptionSecrets = z.object({
  /** `whsec_…`, newest first. */
  signing: z.array(z.string()).min(1),
  former: z.array(formerSecret).default([]),
  /** `whsk_…`, for `v1a`. */
  asymmetric: z.string().optional(),
  formerAsymmetric: z.array(formerSecret).default([]),
});
export type SubscriptionSecrets = z.infer<typeof subscriptionSecrets>;

/** The body of a rotation of a subscription's signing keys. */
export const secretRotation = z.strictObject({
  /** How long the secret before keeps signing beside the new one. */
  overlap: durationText(0, 30 * 86_400_000, '0s to 30d').default('24h'),
});
