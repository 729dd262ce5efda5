import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import {
  accepted,
  attemptFailed,
  delivered,
  gaveUp,
  held,
  routed,
  T0,
  uidOf,
  writeFacts,
} from '../ledger/story.fixture.js';
import { MAX_COUNTED } from './delivery-summary.js';
import type { DeliveriesSummary } from './views.js';

let api: AuditApi;

beforeAll(async () => {
  api = await AuditApi.start();
}, 60_000);

afterAll(() => api.close());

const PATH = 'subscriptions/billing/deliveries-summary';

async function summary(path = PATH): Promise<DeliveriesSummary> {
  return (await api.call<DeliveriesSummary>(path)).body;
}

const NONE = { count: 0, isCapped: false };
const NOTHING: DeliveriesSummary = {
  pending: NONE,
  held: NONE,
  dead: NONE,
  oldestPendingAt: null,
  oldestHeldAt: null,
  nextAttemptAt: null,
  lastDeliveredAt: null,
};

describe('the summary of a subscription', () => {
  it('tells what is pending, held and dead, and when something happens next', async () => {
    expect(await summary()).toEqual(NOTHING);
    await Promise.all(
      writeFacts(api.writer, [
        accepted('a'),
        routed('a', ['billing', 'stock'], { at: T0 + 2 }),
        attemptFailed('b', 'billing', 1, T0 + 5, T0 + 9_000),
        attemptFailed('c', 'billing', 1, T0 + 6, T0 + 8_000),
        held('d', 'billing', T0 + 7),
        held('e', 'billing', T0 + 8),
        gaveUp('f', 'billing', 1, T0 + 9),
        delivered('g', 'billing', 1, T0 + 11),
        delivered('h', 'billing', 1, T0 + 10),
      ]),
    );
    const expected = {
      pending: { count: 3, isCapped: false },
      held: { count: 2, isCapped: false },
      dead: { count: 1, isCapped: false },
      oldestPendingAt: new Date(T0 + 2).toISOString(),
      oldestHeldAt: new Date(T0 + 7).toISOString(),
      nextAttemptAt: new Date(T0 + 8_000).toISOString(),
      lastDeliveredAt: new Date(T0 + 11).toISOString(),
    };
    expect(await summary()).toEqual(expected);
    expect(await summary(`${PATH}?uid=${uidOf('billing')}`)).toEqual(expected);
    expect(await summary(`${PATH}?uid=another`)).toEqual(NOTHING);
  });

  it('counts so far and no farther', async () => {
    const facts = Array.from({ length: MAX_COUNTED + 1 }, (_, index) => held(`many-${index}`, 'slow', T0));
    await Promise.all(writeFacts(api.writer, facts));
    const { held: counted } = await summary('subscriptions/slow/deliveries-summary');
    expect(counted).toEqual({ count: MAX_COUNTED, isCapped: true });
  });
});
