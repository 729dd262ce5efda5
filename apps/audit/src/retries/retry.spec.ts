import {
  decodeEvent,
  DEFAULT_NAMESPACE,
  type EventRecord,
  type IncomingRecord,
  type OutgoingRecord,
} from '@quittance/contracts';
import { createLogger, Metrics } from '@quittance/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import { eventfulStory } from '../ledger/eventful-story.fixture.js';
import {
  accepted,
  deliveryIdFor,
  gaveUp,
  held,
  sample,
  T0,
  uidOf,
  writeFacts,
} from '../ledger/story.fixture.js';
import { LedgerPruner } from '../pruning/ledger-pruner.js';
import type { EventStoryView } from '../queries/views.js';

let api: AuditApi;

beforeAll(async () => {
  api = await AuditApi.start();
  api.subscriptions.add('stock');
  api.subscriptions.add('billing');
  await Promise.all(writeFacts(api.writer, eventfulStory()));
}, 60_000);

afterAll(() => api.close());

function recordOf(published: OutgoingRecord): EventRecord {
  return decodeEvent({ ...published, partition: 0, offset: 0n, timestamp: 0 } as unknown as IncomingRecord);
}

describe('a retry by hand', () => {
  const path = `deliveries/${deliveryIdFor('a', 'stock')}/retry`;

  it('sends the event through the router again, for one subscription, and opens the delivery', async () => {
    api.published.length = 0;
    const { status, body } = await api.call(path, { method: 'POST' });
    expect([status, body]).toEqual([202, { id: deliveryIdFor('a', 'stock'), state: 'pending' }]);
    expect(api.published).toHaveLength(1);
    const record = recordOf(api.published[0]!);
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

  it('of a sample is a sample; the revision of a Kafka that is gone does not count', async () => {
    await Promise.all(
      writeFacts(api.writer, [sample('s', 'stock', { revision: 40_000 }), gaveUp('s', 'stock', 1, T0)]),
    );
    api.published.length = 0;
    const { status } = await api.call(`deliveries/${deliveryIdFor('s', 'stock')}/retry`, { method: 'POST' });
    expect(status).toBe(202);
    const target = { subscription: 'stock', subscriptionUid: uidOf('stock') };
    expect(recordOf(api.published[0]!)).toMatchObject({ revision: 17, replay: target, test: target });
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

  it('keeps its event from being pruned meanwhile, and nobody from writing', async () => {
    const retention = {
      ready: true,
      isFresh: () => true,
      namespace: () => DEFAULT_NAMESPACE,
      isNamespaceReadable: () => true,
    };
    const logger = createLogger({ service: 'audit', version: '0', level: 'silent' });
    const pruner = new LedgerPruner(api.database.pool, retention, new Metrics('audit'), logger, {
      now: () => T0 + 60 * 86_400_000,
    });
    api.whilePublishing = async () => {
      await Promise.all(
        writeFacts(api.writer, [accepted('a', { acceptedAt: T0 - 1 }), gaveUp('a', 'stock', 1, T0 + 90_200)]),
      );
      await pruner.round();
    };
    const { status } = await api.call(path, { method: 'POST' });
    expect(status).toBe(202);
    const { body } = await api.call<EventStoryView>('events/a');
    expect(body.acceptedAt).toBe('2026-01-31T11:59:59.999Z');
    expect(body.deliveries.find((delivery) => delivery.subscription === 'stock')).toMatchObject({
      // What was heard of it meanwhile stands: nothing newer may come.
      state: 'dead',
      retries: [{ by: 'admin' }, { by: 'admin' }],
    });
    expect((await api.call('events/b')).status).toBe(404);
  });

  it('leaves a delivery held when that is the answer, however soon it comes', async () => {
    await Promise.all(writeFacts(api.writer, [held('a', 'stock', T0 + 90_300)]));
    api.whilePublishing = async () => {
      await Promise.all(writeFacts(api.writer, [held('a', 'stock', T0 + 90_400)]));
    };
    const { status, body } = await api.call(path, { method: 'POST' });
    expect([status, body]).toEqual([202, { id: deliveryIdFor('a', 'stock'), state: 'held' }]);
  });

  it('is refused for a delivery that the last resumption gave up: it would be again', async () => {
    api.whilePublishing = () => Promise.resolve();
    api.subscriptions.resume('stock', deliveryIdFor('a', 'stock'));
    const refused = await api.call(path, { method: 'POST' });
    expect([refused.status, refused.body]).toEqual([
      409,
      expect.objectContaining({ code: 'not_retryable', detail: expect.stringMatching(/without "skip"/) }),
    ]);
    api.subscriptions.resume('stock');
    expect((await api.call(path, { method: 'POST' })).status).toBe(202);
  });
});
