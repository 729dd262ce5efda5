import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { randomBytes } from 'node:crypto';
import { monotonicMs } from './clock.ts';
import type { Arrivals, Expectation, ReceiverReply, ReceiverRequest } from './messages.ts';
import { numberIn } from './payload.ts';
import { serveParent } from './worker.ts';

/** In the path: what an earlier measurement left behind must not be counted. */
const token = randomBytes(6).toString('hex');
const PATHS = `/${token}/`;

let answerDelayMs = 0;
let expectation: Expectation = { firstEvent: 0, events: 0, endpoints: 0 };
let arrivals: Arrivals = empty(expectation);
let distinct = 0;
let silent: ReadonlySet<number> = new Set();
let unanswered = 0;

function empty({ events, endpoints }: Expectation): Arrivals {
  return {
    arrivedAt: new Float64Array(events * endpoints),
    count: new Uint16Array(events * endpoints),
    requests: 0,
  };
}

/** Endpoint `n` of the fan-out is the path `/<token>/<n>`. */
const server = createServer((request, response) => {
  if (!request.url?.startsWith(PATHS)) {
    request.resume();
    response.writeHead(404).end();
    return;
  }
  const endpoint = Number(request.url.slice(PATHS.length));
  let body: Buffer | undefined;
  request.on('data', (chunk: Buffer) => (body = body ? Buffer.concat([body, chunk]) : chunk));
  request.on('end', () => arrive(endpoint, body, request, response));
});
// Idle connections are the caller's to close.
server.keepAliveTimeout = 0;
server.requestTimeout = 0;

function arrive(
  endpoint: number,
  body: Buffer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const now = monotonicMs();
  if (silent.has(endpoint)) {
    // It stays open until the caller gives up: a subscriber that is stuck has taken the request in.
    unanswered++;
    return;
  }
  count(endpoint, body ? numberIn(body) : -1, now);
  if (answerDelayMs > 0) setTimeout(() => answer(request, response), answerDelayMs);
  else answer(request, response);
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.destroyed && response.destroyed) return;
  response.writeHead(200, { 'content-length': '0' }).end();
}

function count(endpoint: number, n: number, now: number): void {
  const index = n - expectation.firstEvent;
  arrivals.requests++;
  if (!(endpoint >= 0 && endpoint < expectation.endpoints) || index < 0 || index >= expectation.events) {
    return;
  }
  const position = endpoint * expectation.events + index;
  const before = arrivals.count[position] ?? 0;
  arrivals.count[position] = before + 1;
  if (before > 0) return;
  arrivals.arrivedAt[position] = now;
  distinct++;
}

serveParent<ReceiverRequest, ReceiverReply>(async (request) => {
  switch (request.type) {
    case 'listen': {
      answerDelayMs = request.answerDelayMs;
      server.listen(0, request.host);
      await once(server, 'listening');
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
      return { type: 'listening', origin: `http://${request.host}:${address.port}`, paths: PATHS };
    }
    case 'expect':
      expectation = request.expectation;
      arrivals = empty(expectation);
      distinct = 0;
      unanswered = 0;
      return { type: 'expecting' };
    case 'silence':
      silent = new Set(request.endpoints);
      return { type: 'silenced' };
    case 'progress':
      return { type: 'progress', distinct, requests: arrivals.requests, unanswered };
    case 'collect':
      return { type: 'collected', arrivals };
  }
});
