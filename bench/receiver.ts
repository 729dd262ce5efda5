import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { monotonicMs } from './clock.ts';
import type { Arrivals, Expectation, ReceiverReply, ReceiverRequest } from './messages.ts';
import { numberIn } from './payload.ts';
import { RequestReader, type WholeRequest } from './request-reader.ts';
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

let date = new Date().toUTCString();
setInterval(() => (date = new Date().toUTCString()), 1000).unref();

/** Endpoint `n` of the fan-out is the path `/<token>/<n>`. */
const server = createServer({ noDelay: true }, (socket) => {
  const reader = new RequestReader();
  // Whoever resets a connection has given up on it.
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    try {
      for (const request of reader.read(chunk)) arrive(request, socket);
    } catch {
      socket.destroy();
    }
  });
});

function arrive({ path, body }: WholeRequest, socket: Socket): void {
  const now = monotonicMs();
  if (!path.startsWith(PATHS)) {
    answer(socket, '404 Not Found');
    return;
  }
  const endpoint = Number(path.slice(PATHS.length));
  if (silent.has(endpoint)) {
    // It stays open until the caller gives up: a subscriber that is stuck has taken the request in.
    unanswered++;
    return;
  }
  count(endpoint, numberIn(body), now);
  if (answerDelayMs > 0) setTimeout(() => answer(socket, '200 OK'), answerDelayMs);
  else answer(socket, '200 OK');
}

/** With the headers that Node's own server sends. */
function answer(socket: Socket, status: string): void {
  if (!socket.writable) return;
  socket.write(
    `HTTP/1.1 ${status}\r\ncontent-length: 0\r\nDate: ${date}\r\nConnection: keep-alive\r\n\r\n`,
    'latin1',
  );
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
