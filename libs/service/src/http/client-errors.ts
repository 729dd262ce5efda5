import { Problem } from '@quittance/contracts';
import type { FastifyReply } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { sendProblem } from './problem-filter.js';

/** What Node's parser and clock find wrong with a request, answered as everything else is: as a problem. */
export class ClientErrors {
  private readonly latest = new WeakMap<Socket, FastifyReply>();

  /** @param headers of every answer */
  constructor(private readonly headers: Readonly<Record<string, string>>) {}

  /** To be told of every request as soon as its headers are there. */
  requestBegan(reply: FastifyReply): void {
    this.latest.set(reply.request.raw.socket, reply);
  }

  /** To be told when it is answered: what is kept of it would stay as long as its connection. */
  requestEnded(reply: FastifyReply): void {
    const { socket } = reply.request.raw;
    if (this.latest.get(socket) === reply) this.latest.delete(socket);
  }

  /** Handles the server's `clientError`. The connection is closed in any case. */
  handle(error: Error & { code?: string }, socket: Socket): void {
    const problem = problemOf(error.code);
    const reply = this.latest.get(socket);
    if (problem === undefined || !socket.writable) socket.destroy();
    else if (reply === undefined) this.answer(socket, problem);
    else if (reply.sent || reply.request.raw.complete) {
      // It concerns what came after a request that is still being answered: an answer now would be taken for that one's.
      socket.destroy();
    } else sendProblem(reply.header('connection', 'close'), problem);
  }

  /** There is no request that Fastify knows of. */
  private answer(socket: Socket, problem: Problem): void {
    const body = JSON.stringify(problem.toDocument());
    const lines = Object.entries({
      ...this.headers,
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}\r\n${body}`,
    );
    socket.destroySoon();
  }
}

/** @returns `undefined` where nobody is there to be answered, or nobody who speaks HTTP */
function problemOf(code: string | undefined): Problem | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem('request_timeout', 'Send the whole request faster, or over a better connection.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(
      'headers_too_large',
      'All headers together may have 16 KiB: send fewer or shorter ones.',
    );
  }
  return code?.startsWith('HPE_')
    ? new Problem('malformed_request', 'The request is not valid HTTP.')
    : undefined;
}
