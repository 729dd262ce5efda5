import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { startSpan } from '@quittance/telemetry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Neighbour } from '../../trials/neighbour.js';
import { HomeLag } from './home-lag.js';
import { LedgerSummary, type DeliveriesSummary } from './ledger-summary.js';
import { resourceOf } from './view.fixture.js';

const span = startSpan('test', { kind: 1 });

describe('the ledger, when it is asked for a summary', () => {
  let server: Server;
  let origin: string;
  let asked: { url: string; key: unknown }[];
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push({ url: request.url ?? '', key: request.headers.authorization });
      answer(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = (timeoutMs?: number) =>
    new LedgerSummary(new Neighbour('audit', origin), 'the-key', timeoutMs).of(resourceOf(), span);
  const say = (status: number, body: object) => (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

  it('tells it of this subscription, not of another one that had its name', async () => {
    const summary: DeliveriesSummary = {
      pending: { count: 1, isCapped: false },
      held: { count: 0, isCapped: false },
      oldestPendingAt: '2026-11-23T11:00:00.000Z',
      oldestHeldAt: null,
      nextAttemptAt: null,
      lastDeliveredAt: null,
    };
    answer = say(200, { ...summary, later: 'more' });
    expect(await ask()).toEqual(summary);
    expect(asked).toEqual([
      {
        url: '/audit/v1/namespaces/shop/subscriptions/billing/deliveries-summary?uid=uid-1',
        key: 'Bearer the-key',
      },
    ]);
  });

  it('is not known when it refuses, says something else, or is not there', async () => {
    answer = say(503, { code: 'store_unavailable' });
    expect(await ask()).toBeUndefined();
    answer = say(200, { pending: 1 });
    expect(await ask()).toBeUndefined();
    server.close();
    server.closeAllConnections();
    expect(await ask()).toBeUndefined();
  });

  it('is not waited for for long', async () => {
    answer = () => undefined;
    expect(await ask(20)).toBeUndefined();
  });
});

describe('the lag of a home partition', () => {
  const lagOf = (committed: bigint | undefined, beginning: bigint, end: bigint) =>
    new HomeLag((partition) => {
      expect(partition).toBe(3);
      return Promise.resolve({ committed, beginning, end });
    }).of(3);

  it.each([
    [10n, 0n, 17n, 7],
    [17n, 0n, 17n, 0],
    // Nothing was dealt with yet.
    [undefined, 5n, 17n, 12],
    // What stood below the beginning has expired.
    [2n, 5n, 17n, 12],
  ])('committed %s, from %s to %s: %d records', async (committed, beginning, end, records) => {
    expect(await lagOf(committed, beginning, end)).toBe(records);
  });

  it('is asked for again when a question fails', async () => {
    let questions = 0;
    const lag = new HomeLag(() =>
      ++questions === 1
        ? Promise.reject(new Error('no coordinator yet'))
        : Promise.resolve({ committed: 1n, beginning: 0n, end: 3n }),
    );
    expect(await lag.of(3)).toBe(2);
  });

  it('is not known when Kafka refuses or does not answer', async () => {
    expect(await new HomeLag(() => Promise.reject(new Error('no broker')), 20).of(3)).toBeUndefined();
    expect(await new HomeLag(() => new Promise(() => undefined), 20).of(3)).toBeUndefined();
  });
});
