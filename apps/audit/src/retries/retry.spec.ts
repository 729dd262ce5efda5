import { decodeEvent, type IncomingRecord } from '@quittance/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import { deliveryIdFor, eventfulStory, gaveUp, T0, uidOf, writeFacts } from '../ledger/story.fixture.js';

let api: AuditApi;

beforeAll(async () => {
  api = await AuditApi.start();
  api.subscriptions.set('stock', uidOf('stock')).set('billing', uidOf('billing'));
  await Promise.all(writeFacts(api.writer, eventfulStory()));
}, 60_000);

afterAll(() => api.close());

describe('a retry by hand', () => {
  const path = `deliveries/${deliveryIdFor('a', 'stock')}/retry`;

  it('sends the event through the router again, for one subscription, and opens the delivery', async () => {
    api.published.length = 0;
    const { status, body } = await api.call(path, { method: 'POST' });
    expect([status, body]).toEqual([202, { id: deliveryIdFor('a', 'stock'), state: 'pending' }]);
    expect(api.published).toHaveLength(1);
    const record = decodeEvent({
      ...api.published[0]!,
      partition: 0,
      offset: 0n,
      timestamp: 0,
    } as unknown as IncomingRecord);
    expect(record).toMatchObject({
      namespace: 'shop',
      attributes: {
        id: 'a',
        source: '/shop/checkout',
        type: 'order.completed',
        datacontenttype: 'application/json',
        extensions: { partitionkey: 'customer-7' },
      },
      data: Buffer.from('{"total":120.5}'),
      acceptedAt: T0,
      revision: 17,
      replay: { subscription: 'stock', subscriptionUid: uidOf('stock') },
    });
    expect(record.trace?.traceparent).toContain('0af7651916cd43dd8448eb211c80319c');
    expect(await api.deliveryOf('a', 'stock')).toMatchObject({
      state: 'pending',
      retries: [{ at: expect.any(String), by: 'admin' }],
    });
    const again = await api.call(path, { method: 'POST' });
    expect([again.status, again.body]).toEqual([409, expect.objectContaining({ code: 'not_retryable' })]);
  });

  it('is settled by the next outcome, also from a dispatcher whose clock is behind', async () => {
    await Promise.all(writeFacts(api.writer, [gaveUp('a', 'stock', 1, T0 + 90_100)]));
    expect((await api.deliveryOf('a', 'stock'))?.state).toBe('dead');
  });

  it('changes nothing while Kafka cannot be reached', async () => {
    api.kafkaIsDown = true;
    try {
      const { status, body } = await api.call(path, { method: 'POST' });
      expect([status, body]).toEqual([503, expect.objectContaining({ code: 'kafka_unavailable' })]);
      expect(await api.deliveryOf('a', 'stock')).toMatchObject({ state: 'dead', retries: [{ by: 'admin' }] });
    } finally {
      api.kafkaIsDown = false;
    }
  });

  it('leaves a delivered delivery delivered', async () => {
    const answer = await api.call(`deliveries/${deliveryIdFor('a', 'billing')}/retry`, { method: 'POST' });
    expect([answer.status, answer.body]).toEqual([
      202,
      { id: deliveryIdFor('a', 'billing'), state: 'delivered' },
    ]);
  });

  it('is refused where it cannot work', async () => {
    await Promise.all(writeFacts(api.writer, [gaveUp('orphan', 'stock', 1, T0)]));
    for (const [id, status, code] of [
      [deliveryIdFor('a', 'mail'), 409, 'not_retryable'], // the subscription is gone
      [deliveryIdFor('orphan', 'stock'), 409, 'not_retryable'], // the event is not there
      [deliveryIdFor('nothing', 'stock'), 404, 'not_found'],
      ['%2e%2e', 404, 'not_found'],
    ] as const) {
      const answer = await api.call(`deliveries/${id}/retry`, { method: 'POST' });
      expect([id, answer.status, answer.body]).toEqual([id, status, expect.objectContaining({ code })]);
    }
  });
});
