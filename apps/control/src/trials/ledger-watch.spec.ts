import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { startSpan } from '@quittance/telemetry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isSettled, LedgerWatch, type Known } from './ledger-watch.js';
import { Neighbour, parsed } from './neighbour.js';

let server: Server;
let origin: string;
let asked: { url: string; headers: Record<string, unknown> }[];
let answer: (response: ServerResponse, index: number) => void;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    answer(response, asked.push({ url: request.url ?? '', headers: request.headers }) - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const span = startSpan('test', { kind: 1 });
const attempt = {
  id: 'a',
  number: 1,
  at: '2026-01-01T00:00:00.000Z',
  status: 500,
  durationMs: 3,
  error: { code: 'http_status', message: 'no' },
  response: null,
};

function storyOf(delivery: object | undefined, skipped: object[] = []): string {
  return JSON.stringify({ id: 'e 1', skipped, deliveries: delivery ? [delivery] : [] });
}

function watch(waitMs: number): Promise<Known> {
  const ledger = new LedgerWatch(new Neighbour('audit', origin), 'the-admin-key');
  const watched = { namespace: 'shop', id: 'e 1', source: '/a?b', subscription: 'billing' };
  return ledger.firstAttempt(watched, waitMs, span);
}

function say(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

describe('waiting for the ledger', () => {
  it('ends with the first attempt', async () => {
    const delivery = { subscription: 'billing', state: 'pending', error: null };
    answer = (response, index) => {
      if (index === 0) say(response, 404, '{}');
      else say(response, 200, storyOf({ ...delivery, attempts: index === 1 ? [] : [attempt] }));
    };
    const known = await watch(30_000);
    expect(known).toEqual({ state: 'pending', attempts: [attempt] });
    expect(isSettled(known)).toBe(true);
    expect(asked).toHaveLength(3);
    expect(asked[0]).toMatchObject({
      url: '/audit/v1/namespaces/shop/events/e%201?source=%2Fa%3Fb',
      headers: { authorization: 'Bearer the-admin-key', traceparent: expect.stringContaining(span.traceId) },
    });
  });

  it('ends where no attempt will be made', async () => {
    const error = { code: 'transform_failed', message: 'The transform failed.' };
    answer = (response) =>
      say(response, 200, storyOf({ subscription: 'billing', state: 'dead', attempts: [], error }));
    expect(await watch(30_000)).toEqual({ state: 'dead', attempts: [], detail: 'The transform failed.' });
    const held = { code: 'paused', reason: 'The subscription is paused.' };
    answer = (response) =>
      say(
        response,
        200,
        storyOf({ subscription: 'billing', state: 'held', attempts: [], error: null, held }),
      );
    expect(await watch(30_000)).toEqual({ state: 'held', attempts: [], detail: held.reason });
    answer = (response) =>
      say(response, 200, storyOf(undefined, [{ subscription: 'billing', reason: 'It is gone.' }]));
    expect(await watch(30_000)).toEqual({ state: 'skipped', attempts: [], detail: 'It is gone.' });
  });

  it('tells what is known when the time is over', async () => {
    answer = (response) => say(response, 404, '{}');
    const known = await watch(250);
    expect(known).toMatchObject({
      state: 'unknown',
      attempts: [],
      detail: expect.stringContaining('not tell yet'),
    });
    expect(isSettled(known)).toBe(false);
  });

  it('tells so when audit is silent, redirects, or talks nonsense', async () => {
    for (const speak of [
      (response: ServerResponse) => void response.destroy(),
      (response: ServerResponse) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      (response: ServerResponse) => say(response, 200, '{"deliveries": 1}'),
      (response: ServerResponse) => say(response, 503, '{}'),
      () => undefined,
    ]) {
      answer = speak;
      expect(await watch(0)).toMatchObject({
        state: 'unknown',
        detail: expect.stringContaining('cannot be reached'),
      });
    }
    expect(asked.map(({ url }) => url)).not.toContain('/elsewhere');
  });
});

describe('another service', () => {
  const get = { method: 'GET', path: '/x', headers: {}, timeoutMs: 5_000 } as const;

  it('is unavailable when nobody listens', async () => {
    const nobody = new Neighbour('ingest', 'http://127.0.0.1:1');
    await expect(nobody.ask(get, span)).rejects.toMatchObject({
      code: 'service_unavailable',
      message: expect.stringContaining('QUITTANCE_INGEST_URL'),
    });
  });

  it('is read up to a limit', async () => {
    answer = (response) => void response.writeHead(200).end('x'.repeat(6 * 1024 * 1024));
    const { body } = await new Neighbour('ingest', origin).ask(get, span);
    expect(body).toHaveLength(4 * 1024 * 1024);
  });

  it('answers JSON or text', () => {
    const of = (contentType: string, body: string): unknown => parsed({ status: 200, contentType, body });
    expect(of('application/problem+json', '{"a":1}')).toEqual({ a: 1 });
    expect(of('application/json; charset=utf-8', '{')).toBe('{');
    expect(of('text/plain', '{"a":1}')).toBe('{"a":1}');
  });
});
