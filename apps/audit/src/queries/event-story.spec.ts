import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import { eventfulStory } from '../ledger/eventful-story.fixture.js';
import { accepted, attemptFailed, delivered, routed, T0, writeFacts } from '../ledger/story.fixture.js';
import type { EventStoryView } from './views.js';

let api: AuditApi;

beforeAll(async () => {
  api = await AuditApi.start();
  await Promise.all(writeFacts(api.writer, eventfulStory()));
}, 60_000);

afterAll(() => api.close());

describe('the story of an event', () => {
  it('tells everything that happened', async () => {
    const { status, body } = await api.call<EventStoryView>('events/a');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 'a',
      source: '/shop/checkout',
      type: 'order.completed',
      acceptedAt: '2026-01-31T12:00:00.000Z',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      routedAt: '2026-01-31T12:00:00.002Z',
      skipped: [{ subscription: 'audit', code: 'filter_false' }],
      skippedCount: 1,
      duplicates: 2,
      conflicts: 1,
      data: { total: 120.5 },
    });
    const stock = body.deliveries.find((delivery) => delivery.subscription === 'stock');
    expect(stock).toMatchObject({ state: 'dead', error: { code: 'http_5xx' } });
    expect(stock?.attempts.map((attempt) => [attempt.number, attempt.status, attempt.durationMs])).toEqual([
      [1, 503, 12],
      [2, 503, 12],
      [3, 503, 12],
      [1, 503, 12],
    ]);
    const billing = body.deliveries.find((delivery) => delivery.subscription === 'billing');
    expect(billing).toMatchObject({
      state: 'delivered',
      attempts: [{ number: 1, status: 200, error: null, response: 'thanks' }],
    });
  });

  it('says why a delivery is held, and for what it waits', async () => {
    const { body } = await api.call<EventStoryView>('events/d');
    expect(body.deliveries).toMatchObject([
      {
        subscription: 'slow',
        state: 'held',
        held: { code: 'unreachable', reason: expect.stringMatching(/answers again/) },
        error: null,
      },
    ]);
    const list = await api.call<{ items: unknown[] }>('deliveries?state=held');
    expect(list.body.items).toMatchObject([{ event: { id: 'd' }, held: { code: 'unreachable' } }]);
    const { deliveries } = (await api.call<EventStoryView>('events/e')).body;
    expect(deliveries).toMatchObject([{ subscription: 'slow', state: 'delivered' }]);
    expect(deliveries[0]).not.toHaveProperty('held');
  });

  it('says when the next attempt of a pending delivery is due', async () => {
    await Promise.all(
      writeFacts(api.writer, [
        accepted('due'),
        routed('due', ['stock']),
        attemptFailed('due', 'stock', 1, T0 + 9, T0 + 5_000),
      ]),
    );
    expect(await api.deliveryOf('due', 'stock')).toMatchObject({
      state: 'pending',
      nextAttemptAt: '2026-01-31T12:00:05.000Z',
      error: null,
    });
  });

  it('gives data that are not JSON as base64', async () => {
    const data = Buffer.from([0, 255, 128, 10]);
    await Promise.all(writeFacts(api.writer, [accepted('binary', { data })]));
    const { body } = await api.call<EventStoryView>('events/binary');
    expect(body.dataBase64).toBe(data.toString('base64'));
    expect(body).not.toHaveProperty('data');
  });

  it('is told from outcomes alone while the event itself has not arrived, and completed later', async () => {
    await Promise.all(writeFacts(api.writer, [delivered('early', 'billing', 1, T0 + 5)]));
    const before = await api.call<EventStoryView>('events/early');
    expect(before.body).toMatchObject({ type: null, acceptedAt: null, deliveries: [{ state: 'delivered' }] });
    await Promise.all(writeFacts(api.writer, [accepted('early')]));
    const after = await api.call<EventStoryView>('events/early');
    expect(after.body).toMatchObject({ type: 'order.completed', deliveries: [{ state: 'delivered' }] });
  });

  it('asks for the source where an id has several', async () => {
    const attributes = { id: 'twice', type: 'order.completed', extensions: {} };
    await Promise.all(
      writeFacts(api.writer, [
        accepted('twice', { attributes: { ...attributes, source: '/one' } }),
        accepted('twice', { attributes: { ...attributes, source: '/two' } }),
      ]),
    );
    const { status, body } = await api.call('events/twice');
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'ambiguous_event', sources: ['/one', '/two'] });
    expect((await api.call('events/twice?source=/two')).body).toMatchObject({ source: '/two' });
  });

  it('does not exist for unknown or impossible ids', async () => {
    for (const id of ['unknown', 'x'.repeat(500), 'nul%00']) {
      const { status, body } = await api.call(`events/${id}`);
      expect([status, body]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
    }
  });

  it('refuses a path that is out of all proportion', async () => {
    const { status, body } = await api.call(`events/${'x'.repeat(5_000)}`);
    expect([status, body]).toEqual([400, expect.objectContaining({ code: 'malformed_request' })]);
  });
});

describe('with Postgres down', () => {
  it('says so, and when to come back', async () => {
    await api.database.server.stop();
    try {
      const { status, headers, body } = await api.call('events/a');
      expect([status, headers.get('retry-after')]).toEqual([503, '2']);
      expect(body).toMatchObject({ code: 'store_unavailable' });
    } finally {
      await api.database.server.start();
    }
  }, 30_000);
});
