import { subscriptionStatus } from '@quittance/contracts';
import * as z from 'zod';
import {
  breakerStateOf,
  standingOf,
  standingReason,
  standingState,
  type SubscriptionFacts,
} from './standing.js';
import { summaryOf } from './summary.js';

const time = z.iso.datetime({ offset: true });

const home = z
  .object({
    isExclusive: z.boolean(),
    sharedWith: z
      .number()
      .int()
      .describe('How many other subscriptions have their home on the same partition.'),
  })
  .describe('What `partition` is to others.');

const move = z
  .object({
    id: z.string(),
    from: z.number().int(),
    startedAt: time,
    phase: z
      .enum(['switching', 'draining', 'drained'])
      .describe(
        '`switching`: everybody learns of the new home. `draining`: what stands in the old one is dealt with. `drained`: that is done.',
      ),
  })
  .describe('Its home is being moved; missing while it is not.');

/** What a subscription's `status` shows wherever it is shown: nobody has to be asked for it. */
export const subscriptionStanding = {
  state: standingState.describe(
    '`paused`: by somebody. `suspended`: its events are kept, and sent when it is resumed. `disabled`: its events are skipped.',
  ),
  since: time.nullable().describe('Since when `reason` holds, where that is known.'),
  reason: standingReason.nullable().describe('Why; `null`: nothing is the matter.'),
  summary: z
    .string()
    .describe(
      'The same for a person: what is the matter, what happens to its events meanwhile, and what to do.',
    ),
  partition: subscriptionStatus.shape.partition,
  activation: subscriptionStatus.shape.activation,
  skip: subscriptionStatus.shape.skip,
  home,
  move: move.optional(),
};
const standingObject = z.object(subscriptionStanding);
export type SubscriptionStanding = z.infer<typeof standingObject>;

export const breaker = z.object({
  state: z.enum(['closed', 'open', 'half-open']),
  since: time.nullable().describe('Since when it has not been closed.'),
  until: time.nullable().describe('No attempt before.'),
});

export const count = z
  .object({ count: z.number().int(), isCapped: z.boolean().describe('There are more: counting ended here.') })
  .meta({ id: 'CappedCount' });

export const backlog = z.object({
  records: z
    .number()
    .int()
    .nullable()
    .describe('Records of the home partition that are not dealt with, those under way included.'),
  recordsOf: z
    .enum(['subscription', 'partition'])
    .describe('`partition`: `records` counts those of all who share the home.'),
  pending: count
    .nullable()
    .describe('Deliveries that are neither delivered nor given up nor held, retries included.'),
  held: count
    .nullable()
    .describe('Deliveries that wait in the ledger until it is resumed, or answers again.'),
  oldestPendingAt: time.nullable().describe('When the oldest pending delivery was first heard of.'),
  oldestHeldAt: time.nullable(),
  nextAttemptAt: time.nullable().describe('`null` also where none is made until somebody acts.'),
});
export type BacklogView = z.infer<typeof backlog>;

const lastError = z.object({
  at: time,
  code: z.string(),
  message: z.string(),
  status: z.number().int().nullable().describe('Of the answer; `null`: there was none.'),
  deliveryId: z.string(),
});

/** What `GET …/subscriptions/{name}` shows beside that. */
export const subscriptionWhole = {
  ...subscriptionStanding,
  breaker,
  backlog,
  failingSince: time.nullable().describe('Since when every attempt failed.'),
  lastSuccessAt: time.nullable(),
  lastError: lastError.nullable(),
  notes: z
    .array(z.string())
    .describe('What could not be asked, and is `null` therefore; and what a number means.'),
};
const wholeObject = z.object(subscriptionWhole);
export type SubscriptionWhole = z.infer<typeof wholeObject>;

export function standingViewOf(facts: SubscriptionFacts): SubscriptionStanding {
  const { partition, activation, skip, move } = facts.resource.status;
  const { state, since, reason } = standingOf(facts);
  return {
    state,
    since: rfc3339(since),
    reason,
    summary: summaryOf(facts),
    partition,
    activation,
    ...(skip !== undefined && { skip }),
    home: { isExclusive: facts.sharedWith === 0, sharedWith: facts.sharedWith },
    ...(move && {
      move: {
        id: move.id,
        from: move.from,
        startedAt: new Date(move.startedAt).toISOString(),
        phase: phaseOf(facts),
      },
    }),
  };
}

/** What was learnt of it, as it is shown. */
export function learntViewOf(
  facts: SubscriptionFacts,
): Pick<SubscriptionWhole, 'breaker' | 'failingSince' | 'lastSuccessAt' | 'lastError'> {
  const { learnt } = facts;
  return {
    breaker: {
      state: breakerStateOf(facts),
      since: rfc3339(learnt?.breaker?.since),
      until: rfc3339(learnt?.breaker?.until),
    },
    failingSince: rfc3339(learnt?.failingSince),
    lastSuccessAt: rfc3339(learnt?.lastSuccessAt),
    lastError: learnt?.lastError
      ? { ...learnt.lastError, at: new Date(learnt.lastError.at).toISOString() }
      : null,
  };
}

export function rfc3339(atMs: number | null | undefined): string | null {
  return atMs === null || atMs === undefined ? null : new Date(atMs).toISOString();
}

function phaseOf({ resource, learnt }: SubscriptionFacts): 'switching' | 'draining' | 'drained' {
  const { move } = resource.status;
  if (move && learnt?.drained === move.id) return 'drained';
  return move?.fence === undefined ? 'switching' : 'draining';
}
