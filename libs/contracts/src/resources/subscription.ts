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
        timeout: durationText(100, 60_000, '100ms to 60s').default('15s'),
      }),
    }),
    format: bodyFormat.default('standard'),
    delivery: z
      .strictObject({
        concurrency: z.number().int().min(1).max(1000).default(32).describe('Requests under way at once.'),
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

export const subscriptionStatus = z.object({
  state: z.enum(['active']),
  partition: z.number().int().describe('The home partition on `deliveries.v1`.'),
});
export type SubscriptionStatus = z.infer<typeof subscriptionStatus>;

/** Signing keys, newest first, each sealed under the master key: an attempt carries a signature by every one. */
export const subscriptionSecrets = z.object({ signing: z.array(z.string()).min(1) });
export type SubscriptionSecrets = z.infer<typeof subscriptionSecrets>;
