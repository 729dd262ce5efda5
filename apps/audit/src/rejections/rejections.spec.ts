import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditApi } from '../audit-api.fixture.js';
import { rejected, rejectedWithoutBody, T0, writeFacts } from '../ledger/story.fixture.js';
import type { RejectionSummary, RejectionView } from './views.js';

let api: AuditApi;

const idOf = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const base64 = (bytes: Buffer) => bytes.toString('base64');

beforeAll(async () => {
  api = await AuditApi.start();
  await Promise.all(
    writeFacts(api.writer, [
      rejected(1, {
        apiKey: 'checkout',
        userAgent: 'curl/8',
        contentType: 'application/json',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        errors: [{ path: '/total', message: 'must be a number' }],
        suppressed: 3,
      }),
      rejectedWithoutBody(2),
      rejected(3, { code: 'schema_mismatch', status: 422, source: 'forms' }),
      // Three in the same millisecond.
      ...[4, 5, 6].map((n) => rejected(n, { at: T0 + 4_000 })),
      rejected(7, { namespace: 'another' }),
      rejected(8, { body: base64(Buffer.from([0, 255, 128])), bodyBytes: 3 }),
      rejected(9, { body: base64(Buffer.from('x'.repeat(65_535) + 'é')), bodyBytes: 65_537 }),
      rejected(10, { bodyBytes: 0, body: '' }),
    ]),
  );
}, 60_000);

afterAll(() => api.close());

interface List {
  items: RejectionSummary[];
  nextCursor?: string;
}

describe('a rejection', () => {
  it('is shown with its request, its answer and its body', async () => {
    const { status, body } = await api.call<RejectionView>(`rejections/${idOf(1)}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id: idOf(1),
      at: '2026-01-31T12:00:01.000Z',
      source: 'payments',
      apiKey: 'checkout',
      request: {
        method: 'POST',
        path: '/in/shop/payments',
        address: '203.0.113.7',
        userAgent: 'curl/8',
        contentType: 'application/json',
        bodyBytes: 14,
      },
      answer: {
        status: 401,
        code: 'signature_invalid',
        reason: 'The signature does not \uFFFD fit.',
        errors: [{ path: '/total', message: 'must be a number' }],
      },
      traceId: '0af7651916cd43dd8448eb211c80319c',
      suppressedBefore: 3,
      body: '{"total":12.5}',
      truncated: false,
    });
  });

  it('says that its body was left out', async () => {
    const { body } = await api.call<RejectionView>(`rejections/${idOf(2)}`);
    expect(body).toMatchObject({ truncated: true, request: { bodyBytes: 70_000 } });
    expect(body).not.toHaveProperty('body');
    expect(body).not.toHaveProperty('bodyBase64');
    expect(body).not.toHaveProperty('source');
  });

  it('gives a body that is no text as base64', async () => {
    const { body } = await api.call<RejectionView>(`rejections/${idOf(8)}`);
    expect(body).toMatchObject({ bodyBase64: 'AP+A', truncated: false });
    expect(body).not.toHaveProperty('body');
  });

  it('gives the beginning of a long text, also where it was cut inside a character', async () => {
    const { body } = await api.call<RejectionView>(`rejections/${idOf(9)}`);
    expect(body).toMatchObject({ body: 'x'.repeat(65_535), truncated: true });
  });

  it('without a body is whole', async () => {
    const { body } = await api.call<RejectionView>(`rejections/${idOf(10)}`);
    expect(body).toMatchObject({ truncated: false });
  });

  it('exists in its own namespace only', async () => {
    for (const id of [idOf(7), 'unknown', 'nul%00', 'x'.repeat(300)]) {
      const { status, body } = await api.call(`rejections/${id}`);
      expect([id, status, body]).toEqual([id, 404, expect.objectContaining({ code: 'not_found' })]);
    }
  });
});

describe('the list of rejections', () => {
  async function ids(query: string): Promise<string[]> {
    const { status, body } = await api.call<List>(`rejections?${query}`);
    expect(status).toBe(200);
    return body.items.map((item) => item.id);
  }

  it('pages, newest first, none missing and none twice, without bodies', async () => {
    const seen: RejectionSummary[] = [];
    for (let cursor = ''; ;) {
      const { body } = await api.call<List>(`rejections?limit=2${cursor}`);
      seen.push(...body.items);
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen.map((item) => item.id)).toEqual([10, 9, 8, 6, 5, 4, 3, 2, 1].map(idOf));
    expect(seen.every((item) => !('body' in item) && !('truncated' in item))).toBe(true);
  });

  it('filters by source, code and time', async () => {
    expect(await ids('source=forms')).toEqual([idOf(3)]);
    expect(await ids('code=schema_mismatch')).toEqual([idOf(3)]);
    expect(await ids('source=forms&code=signature_invalid')).toEqual([]);
    expect(await ids('from=2026-01-31T12:00:02Z&to=2026-01-31T12:00:04Z')).toEqual([idOf(3), idOf(2)]);
  });

  it('refuses parameters and cursors that mean nothing', async () => {
    const { body } = await api.call<List>('events?limit=1');
    for (const [query, code] of [
      ['code=Wrong!', 'malformed_request'],
      ['source=No_Name', 'malformed_request'],
      ['type=a', 'malformed_request'],
      [`cursor=${body.nextCursor ?? 'x'}`, 'invalid_cursor'],
    ] as const) {
      const answer = await api.call(`rejections?${query}`);
      expect([query, answer.status, answer.body]).toEqual([query, 400, expect.objectContaining({ code })]);
    }
  });

  it('is for keys that may read', async () => {
    const publisher = api.newKey('publisher', 'shop', ['publish']);
    const reader = api.newKey('reader', 'shop', ['read']);
    const stranger = api.newKey('stranger', 'another', ['read']);
    const statuses = [];
    for (const key of [publisher, reader, stranger, 'nonsense']) {
      statuses.push((await api.call('rejections', { key })).status);
      statuses.push((await api.call(`rejections/${idOf(1)}`, { key })).status);
    }
    expect(statuses).toEqual([403, 403, 200, 200, 403, 403, 401, 401]);
  });
});
