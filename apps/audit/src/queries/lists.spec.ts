import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import { eventfulStory } from '../ledger/eventful-story.fixture.js';
import { accepted, routed, T0, writeFacts } from '../ledger/story.fixture.js';

let api: AuditApi;

beforeAll(async () => {
  api = await AuditApi.start();
  await Promise.all(writeFacts(api.writer, eventfulStory()));
}, 60_000);

afterAll(() => api.close());

interface List {
  items: { id: string; [field: string]: unknown }[];
  nextCursor?: string;
}

async function allPages(path: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ''; ;) {
    const { status, body } = await api.call<List>(`${path}${cursor}`);
    expect(status).toBe(200);
    ids.push(...body.items.map((item) => item.id));
    if (body.nextCursor === undefined) return ids;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

describe('the lists', () => {
  beforeAll(async () => {
    const facts = Array.from({ length: 25 }, (_, index) => {
      const id = `listed-${String(index).padStart(2, '0')}`;
      const type = index % 5 === 0 ? 'invoice.sent' : 'invoice.paid';
      // Always three in the same millisecond.
      const at = T0 + 86_400_000 + Math.floor(index / 3);
      const attributes = { id, source: '/invoices', type, extensions: {} };
      return [
        accepted(id, { acceptedAt: at, attributes }),
        routed(id, ['invoices'], { at, eventSource: '/invoices' }),
      ];
    });
    await Promise.all(writeFacts(api.writer, facts.flat()));
  });

  it('page through events, newest first, none missing and none twice', async () => {
    const ids = await allPages('events?from=2026-02-01T12:00:00Z&limit=4');
    expect(ids).toHaveLength(25);
    expect(new Set(ids).size).toBe(25);
    expect(ids[0]).toBe('listed-24');
    expect(ids.at(-1)).toBe('listed-00');
  });

  it('page through deliveries, newest first, none missing and none twice', async () => {
    const ids = await allPages('deliveries?subscription=invoices&limit=4');
    expect(ids).toHaveLength(25);
    expect(new Set(ids).size).toBe(25);
  });

  it('filter', async () => {
    expect(await allPages('events?type=invoice.sent&limit=2')).toHaveLength(5);
    expect(await allPages('events?type=invoice.sent&to=2026-02-01T12:00:00.003Z&limit=2')).toHaveLength(2);
    expect(await allPages('deliveries?type=invoice.sent&limit=2')).toHaveLength(5);
    expect(await allPages('deliveries?event=listed-07&limit=2')).toHaveLength(1);
    expect(await allPages('deliveries?subscription=invoices&state=dead&limit=2')).toEqual([]);
    const { body } = await api.call<List>('deliveries?state=dead&subscription=stock&event=a');
    expect(body.items).toMatchObject([
      {
        event: { id: 'a', type: 'order.completed' },
        state: 'dead',
        attemptCount: 4,
        error: { code: 'http_5xx' },
      },
    ]);
  });

  it('refuse a cursor that was changed, or that belongs elsewhere', async () => {
    const { body } = await api.call<List>('events?limit=2');
    const cursor = body.nextCursor!;
    for (const path of [
      `events?cursor=${cursor.slice(0, -3)}abc`,
      `events?cursor=x${cursor}`,
      `deliveries?cursor=${cursor}`,
      'events?cursor=',
    ]) {
      const answer = await api.call(path);
      expect([path, answer.status, answer.body]).toEqual([
        path,
        400,
        expect.objectContaining({ code: 'invalid_cursor' }),
      ]);
    }
  });

  it('refuse parameters that mean nothing', async () => {
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=ten',
      'from=yesterday',
      'state=lost',
      'type=a&type=b',
      'typ=a',
    ]) {
      const { status, body } = await api.call(`deliveries?${query}`);
      expect([query, status, body]).toEqual([
        query,
        400,
        expect.objectContaining({ code: 'malformed_request' }),
      ]);
    }
  });
});
