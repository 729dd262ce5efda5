import { API_VERSION, metadata, subscriptionStatus, type ResourceKind } from '@quittance/contracts';
import * as z from 'zod';
import type { Kind } from '../resources/kinds.js';

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
  Subscription: subscriptionStatus.shape,
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

/** A resource as it is shown: without secrets. */
export function resourceView(kind: Kind) {
  return z
    .object({
      apiVersion: z.literal(API_VERSION),
      kind: z.literal(kind.kind),
      metadata,
      spec: kind.spec,
      status: z.object({ ...STATUS[kind.kind], conditions: z.array(condition) }),
    })
    .meta({ id: kind.kind });
}

/** The one answer that shows an API key itself. */
export function withKey(kind: Kind) {
  return resourceView(kind)
    .extend({ key: z.string().describe('The key itself: shown this once.') })
    .meta({ id: `${kind.kind}WithKey` });
}
