import * as z from 'zod';
import { cidr, durationText, rateLimit } from './limits.js';

const MAX_BODY_BYTES = 1024 * 1024;
const DAY_MS = 86_400_000;

const hostSuffix = z
  .string()
  .max(253)
  .regex(
    /^\.?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/,
    'must be a host name in lower case, such as "example.com"; it stands for itself and all names below it',
  );

/** A team's frame. Only the admin key may change it; without one, the defaults below hold. */
export const namespaceSpec = z
  .strictObject({
    description: z.string().max(4096).default(''),
    limits: z
      .strictObject({
        rateLimit: rateLimit.optional().describe('Of all events of the namespace, whoever publishes them.'),
        maxBodyBytes: z
          .number()
          .int()
          .min(1024)
          .max(MAX_BODY_BYTES)
          .default(MAX_BODY_BYTES)
          .describe('Of one request.'),
        eventPartitions: z
          .number()
          .int()
          .min(1)
          .max(1000)
          .default(3)
          .describe(
            'Over how many partitions of `events.v1` its events spread, at most half of those there are: so a flood in one namespace does not stand before the events of all others.',
          ),
      })
      .prefault({}),
    catalog: z
      .strictObject({
        policy: z
          .enum(['strict', 'open'])
          .default('strict')
          .describe('`strict`: an event of an unknown type is refused. `open`: it is accepted unchecked.'),
      })
      .prefault({}),
    retention: z
      .strictObject({
        events: durationText(DAY_MS, 3650 * DAY_MS, '1d to 3650d').default('30d'),
        rejections: durationText(DAY_MS, 365 * DAY_MS, '1d to 365d').default('7d'),
      })
      .prefault({})
      .describe('How long the ledger keeps what became of events.'),
    egress: z
      .strictObject({
        allowedCidrs: z
          .array(cidr)
          .max(100)
          .default([])
          .describe(
            'Private ranges that may be reached. Loopback, link-local and metadata addresses never can.',
          ),
        hostSuffixes: z
          .array(hostSuffix)
          .max(100)
          .default([])
          .describe('When given, only these hosts and those below them.'),
        ports: z
          .array(z.number().int().min(1).max(65_535))
          .max(100)
          .default([])
          .describe('When given, only these ports.'),
      })
      .prefault({})
      .describe('Where webhooks may go.'),
  })
  .meta({ id: 'NamespaceSpec' });
export type NamespaceSpec = z.infer<typeof namespaceSpec>;

/** What holds for a namespace that nobody has described. */
export const DEFAULT_NAMESPACE: NamespaceSpec = namespaceSpec.parse({});
