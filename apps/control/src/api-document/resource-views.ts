import { API_VERSION, metadata, type ResourceKind } from '@quittance/contracts';
import * as z from 'zod';
import type { Kind } from '../resources/kinds.js';
import { subscriptionStanding, subscriptionWhole } from '../subscriptions/view/subscription-status.js';

const condition = z
  .object({
    type: z
      .literal('Published')
      .describe('`Published`: Kafka has the resource as it stands here, so every service sees it.'),
    status: z.enum(['True', 'False']),
    message: z.string().optional().describe('For a person; only where `status` is `False`.'),
  })
  .meta({ id: 'Condition' });

const time = z.iso.datetime({ offset: true });

const credential = {
  credentialId: z.string().describe('The beginning of the `<id>` of `qk_<id>_…`.'),
  lastUsedAt: time.optional().describe('To the minute. Missing: never, or not known.'),
};

/** What `status` has besides conditions. */
const STATUS: Record<ResourceKind, z.ZodRawShape> = {
  EventType: {},
  Namespace: {},
  Subscription: subscriptionStanding,
  Source: {
    path: z.string().describe('Where the third party posts to, on ingest.'),
    secrets: z.number().int().describe('How many secrets count at present.'),
  },
  ApiKey: {
    ...credential,
    former: z
      .array(z.object({ ...credential, validUntil: time }))
      .describe('Credentials that were rotated away, and work until then.'),
    expiresAt: time.optional(),
    revokedAt: time.optional(),
  },
};

function viewWith(kind: Kind, status: z.ZodRawShape) {
  return z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(kind.kind),
    metadata,
    spec: kind.spec,
    status: z.object({ ...status, conditions: z.array(condition) }),
  });
}

/** A resource as it is shown: without secrets. */
export function resourceView(kind: Kind) {
  return viewWith(kind, STATUS[kind.kind]).meta({ id: kind.kind });
}

/** A resource as it is shown to who reads it alone. */
export function singleView(kind: Kind) {
  if (kind.kind !== 'Subscription') return resourceView(kind);
  return viewWith(kind, subscriptionWhole).meta({ id: 'SubscriptionPicture' });
}

/** The one answer that shows an API key itself. */
export function withKey(kind: Kind) {
  return resourceView(kind)
    .extend({ key: z.string().describe('The key itself: shown this once.') })
    .meta({ id: `${kind.kind}WithKey` });
}
