import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from '@quittance/contracts';
import type { ActiveSpan } from '@quittance/telemetry';
import * as z from 'zod';
import { Neighbour, parsed } from './neighbour.js';
import { subscriptionTestResult, type SubscriptionTestResult } from './trial-bodies.js';

/** Which delivery is meant. */
export interface Watched {
  namespace: string;
  id: string;
  source: string;
  subscription: string;
}

export type Known = Pick<SubscriptionTestResult, 'state' | 'attempts' | 'detail'>;

/** What audit tells, as far as it matters here. */
const story = z.object({
  skipped: z.array(z.object({ subscription: z.string(), reason: z.string() })),
  deliveries: z.array(
    z.object({
      subscription: z.string(),
      state: z.enum(['pending', 'held', 'delivered', 'dead']),
      attempts: subscriptionTestResult.shape.attempts,
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
      held: z.object({ reason: z.string() }).optional(),
    }),
  ),
});

const PAUSE_MS = 100;
const TIMEOUT_MS = 5_000;
const NOT_YET = 'The ledger does not tell yet. Ask audit for the event later.';
const SILENT =
  'Audit cannot be reached, so what became of the sample is not known. It was published: ask audit later.';

/** Waits for what the ledger tells of one delivery. */
export class LedgerWatch {
  constructor(
    private readonly audit: Neighbour,
    private readonly adminKey: string,
  ) {}

  /** Until an attempt was made, or none will be, but no longer than `waitMs`. Never throws for want of audit. */
  async firstAttempt(watched: Watched, waitMs: number, span: ActiveSpan): Promise<Known> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      const left = Math.max(deadline - performance.now(), PAUSE_MS);
      const known = await this.look(watched, Math.min(left, TIMEOUT_MS), span);
      if (isSettled(known) || performance.now() + PAUSE_MS > deadline) return known;
      await sleep(PAUSE_MS);
    }
  }

  private async look({ namespace, id, source, subscription }: Watched, timeoutMs: number, span: ActiveSpan) {
    const path = `/audit/v1/namespaces/${namespace}/events/${encodeURIComponent(id)}?source=${encodeURIComponent(source)}`;
    const headers = { authorization: `Bearer ${this.adminKey}` };
    try {
      const answer = await this.audit.ask({ method: 'GET', path, headers, timeoutMs }, span);
      if (answer.status === 404) return unknown(NOT_YET);
      const told = story.safeParse(parsed(answer));
      return answer.status === 200 && told.success ? knownOf(told.data, subscription) : unknown(SILENT);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return unknown(SILENT);
    }
  }
}

/** Nothing more is to be waited for. */
export function isSettled({ state, attempts }: Known): boolean {
  return attempts.length > 0 || (state !== 'pending' && state !== 'unknown');
}

function knownOf({ deliveries, skipped }: z.infer<typeof story>, subscription: string): Known {
  const delivery = deliveries.find((each) => each.subscription === subscription);
  if (delivery) {
    const { state, attempts, error, held } = delivery;
    const detail = held?.reason ?? error?.message;
    // Without an attempt, the reason stands nowhere else.
    return { state, attempts, ...(detail !== undefined && attempts.length === 0 && { detail }) };
  }
  const skip = skipped.find((each) => each.subscription === subscription);
  return skip ? { state: 'skipped', attempts: [], detail: skip.reason } : unknown(NOT_YET);
}

function unknown(detail: string): Known {
  return { state: 'unknown', attempts: [], detail };
}
