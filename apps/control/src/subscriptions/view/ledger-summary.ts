import { Problem, type SubscriptionResource } from '@quittance/contracts';
import type { ActiveSpan } from '@quittance/telemetry';
import * as z from 'zod';
import { Neighbour, parsed } from '../../trials/neighbour.js';
import { count } from './subscription-status.js';

const time = z.iso.datetime({ offset: true }).nullable();

/** What audit tells of a subscription's deliveries, as far as it matters here. */
const deliveriesSummary = z.object({
  pending: count,
  held: count,
  oldestPendingAt: time,
  oldestHeldAt: time,
  nextAttemptAt: time,
  lastDeliveredAt: time,
});
export type DeliveriesSummary = z.infer<typeof deliveriesSummary>;

const TIMEOUT_MS = 2_000;

/** What the ledger has of a subscription's deliveries. */
export class LedgerSummary {
  constructor(
    private readonly audit: Neighbour,
    private readonly adminKey: string,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {}

  /** @returns `undefined` when audit does not tell in time */
  async of({ metadata }: SubscriptionResource, span: ActiveSpan): Promise<DeliveriesSummary | undefined> {
    const { namespace, name, uid } = metadata;
    try {
      const answer = await this.audit.ask(
        {
          method: 'GET',
          path: `/audit/v1/namespaces/${namespace}/subscriptions/${name}/deliveries-summary?uid=${encodeURIComponent(uid)}`,
          headers: { authorization: `Bearer ${this.adminKey}` },
          timeoutMs: this.timeoutMs,
        },
        span,
      );
      const told = deliveriesSummary.safeParse(parsed(answer));
      return answer.status === 200 && told.success ? told.data : undefined;
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }
}
