import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from './wait-until.js';

/** One request as it arrived. */
export interface ReceivedRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** The exact bytes. */
  body: Buffer;
  /** Epoch milliseconds, when the body was complete. */
  at: number;
}

/** How a request is answered. `hang` never answers; `reset` cuts the connection. */
export type Reply =
  | number
  | { status: number; headers?: Record<string, string>; body?: string | Buffer; delayMs?: number }
  | 'hang'
  | 'reset';

/** @param index how many requests came before this one, also those of other deliveries */
export type Responder = (request: ReceivedRequest, index: number) => Reply | Promise<Reply>;

export interface ReceiverOptions {
  /** Default: 204 to everything. */
  respond?: Responder;
  /** Default: any free one. */
  port?: number;
}

/** A real HTTP server on 127.0.0.1 that remembers every request. */
export class Receiver {
  readonly requests: ReceivedRequest[] = [];
  private readonly server: Server;
  private responder: Responder;

  private constructor(respond: Responder) {
    this.responder = respond;
    this.server = createServer((request, response) => {
      this.receive(request, response).catch(() => response.destroy());
    });
  }

  static async create(options: ReceiverOptions = {}): Promise<Receiver> {
    const receiver = new Receiver(options.respond ?? (() => 204));
    receiver.server.listen(options.port ?? 0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The receiver is closed.');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** Answers from now on like this. */
  respondWith(respond: Responder): void {
    this.responder = respond;
  }

  /**
   * Waits until that many requests, or that many matching ones, have come.
   * @returns those that match
   */
  async waitFor(
    count: number,
    options: { timeoutMs?: number; matching?: (request: ReceivedRequest) => boolean; what?: string } = {},
  ): Promise<ReceivedRequest[]> {
    const matching = options.matching ?? (() => true);
    const find = () => this.requests.filter((request) => matching(request));
    await waitUntil(() => find().length >= count, {
      what: options.what ?? `${count} requests at ${this.url}`,
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    });
    return find();
  }

  /** Cuts what is open, and refuses what comes. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks),
      at: Date.now(),
    };
    const index = this.requests.push(received) - 1;
    const reply = await this.responder(received, index);
    if (reply === 'hang') return;
    if (reply === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (typeof reply === 'number') {
      response.writeHead(reply).end();
      return;
    }
    if (reply.delayMs !== undefined) await sleep(reply.delayMs);
    response.writeHead(reply.status, reply.headers).end(reply.body);
  }
}

export function createReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  return Receiver.create(options);
}
