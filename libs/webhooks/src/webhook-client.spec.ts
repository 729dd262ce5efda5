import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bodyOf, closedPort, serveHttp, serveTcp, type LoopbackServer } from './loopback-server.js';
import { WebhookClient, type WebhookRequest } from './webhook-client.js';
import { WebhookError } from './webhook-error.js';

let client: WebhookClient;
let servers: LoopbackServer[];

beforeEach(() => {
  client = new WebhookClient({ version: '1.2.3', allowLoopback: true });
  servers = [];
});
afterEach(async () => {
  await client.close();
  await Promise.all(servers.map((server) => server.close()));
});

async function http(handler: RequestListener): Promise<LoopbackServer> {
  const server = await serveHttp(handler);
  servers.push(server);
  return server;
}

/** A server that answers each request with these bytes. */
async function raw(answer: string, then: 'keep' | 'end' | 'reset' = 'keep'): Promise<LoopbackServer> {
  const server = await serveTcp((socket) => {
    socket.on('data', () => {
      if (answer !== '') socket.write(answer);
      if (then === 'end') socket.end();
      if (then === 'reset') socket.resetAndDestroy();
    });
  });
  servers.push(server);
  return server;
}

function request(port: number, more: Partial<WebhookRequest> = {}): WebhookRequest {
  return {
    url: `http://127.0.0.1:${port}/hook?token=hunter2`,
    pool: 'sub_1',
    maxConnections: 64,
    headers: {},
    body: Buffer.from('{}'),
    timeoutMs: 5000,
    ...more,
  };
}

async function failure(promise: Promise<unknown>): Promise<WebhookError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WebhookError)) throw new Error('expected a WebhookError', { cause: error });
  // The path and query are the subscriber's secrets.
  if (error.message.includes('hunter2')) throw new Error('the message tells a secret');
  return error;
}

describe('a request', () => {
  it('carries the bytes and headers it was given, to the path and query of the URL', async () => {
    const seen: { url?: string | undefined; headers: IncomingHttpHeaders; body: Buffer }[] = [];
    const { port } = await http(async (incoming, answer) => {
      seen.push({ url: incoming.url, headers: incoming.headers, body: await bodyOf(incoming) });
      answer.writeHead(202).end('thanks');
    });
    const body = Buffer.from([0, 1, 0xff, 0x80]);
    const headers = { 'content-type': 'application/json', 'webhook-id': 'dlv_1' };
    const response = await client.post(request(port, { body, headers }));
    expect(response).toMatchObject({ status: 202, body: Buffer.from('thanks') });
    expect(response.durationMs).toBeGreaterThan(0);
    expect(response).not.toHaveProperty('retryAfterMs');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ url: '/hook?token=hunter2', body });
    expect(seen[0]!.headers).toMatchObject({
      ...headers,
      host: `127.0.0.1:${port}`,
      'content-length': '4',
      'user-agent': 'Quittance/1.2.3',
    });
    expect(seen[0]!.headers).not.toHaveProperty('expect');
  });

  it('does not let its headers take over the connection', async () => {
    let headers: IncomingHttpHeaders = {};
    const { port } = await http((incoming, answer) => {
      headers = incoming.headers;
      answer.end();
    });
    const forbidden = {
      Host: 'internal',
      Connection: 'close',
      'Content-Length': '1',
      'Transfer-Encoding': 'chunked',
      Expect: '100-continue',
      Upgrade: 'websocket',
      'User-Agent': 'curl',
    };
    await client.post(request(port, { headers: { ...forbidden, 'x-other': 'kept' } }));
    expect(headers).toEqual({
      host: `127.0.0.1:${port}`,
      connection: 'keep-alive',
      'content-length': '2',
      'user-agent': 'Quittance/1.2.3',
      'x-other': 'kept',
    });
  });

  it.each(['ftp://127.0.0.1/', 'not a url', 'file:///etc/passwd'])('is refused for %s', async (url) => {
    expect(await failure(client.post(request(1, { url })))).toMatchObject({ code: 'request_invalid' });
  });

  it('is refused with a header that would smuggle in another', async () => {
    const server = await http((_, answer) => answer.end());
    const smuggling = request(server.port, { headers: { 'x-a': 'b\r\nx-c: d' } });
    expect(await failure(client.post(smuggling))).toMatchObject({ code: 'request_invalid' });
    expect((await client.post(request(server.port))).status).toBe(200);
  });

  it('ends when its signal aborts, one signal for any number of requests', async () => {
    const warnings = vi.spyOn(process, 'emitWarning');
    const server = await http(() => {});
    const abort = new AbortController();
    const waiting = Array.from({ length: 100 }, () =>
      failure(client.post(request(server.port, { signal: abort.signal }))),
    );
    await vi.waitFor(() => expect(server.accepted).toBe(64));
    abort.abort();
    const errors = await Promise.all(waiting);
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['aborted']));
    await vi.waitFor(() => expect(server.open.size).toBe(0));
    expect((await failure(client.post(request(server.port, { signal: abort.signal })))).code).toBe('aborted');
    expect(warnings).not.toHaveBeenCalled();
  });
});

describe('an answer', () => {
  it.each([404, 410, 500])('with the status %i is an answer, not an error', async (status) => {
    const { port } = await http((_, answer) => answer.writeHead(status).end('no'));
    expect(await client.post(request(port))).toMatchObject({ status, body: Buffer.from('no') });
  });

  it('that redirects is not followed', async () => {
    const elsewhere = await http((_, answer) => answer.end());
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    const { port } = await http((_, answer) => answer.writeHead(307, { location }).end());
    expect((await client.post(request(port))).status).toBe(307);
    expect(elsewhere.accepted).toBe(0);
  });

  it('tells how long to wait with 429 and 503 only', async () => {
    let status = 429;
    const { port } = await http((_, answer) => answer.writeHead(status, { 'retry-after': '120' }).end());
    expect((await client.post(request(port))).retryAfterMs).toBe(120_000);
    status = 503;
    expect((await client.post(request(port))).retryAfterMs).toBe(120_000);
    status = 500;
    expect((await client.post(request(port))).retryAfterMs).toBeUndefined();
  });

  it('may be preceded by informational ones', async () => {
    const { port } = await raw(
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    );
    expect((await client.post(request(port))).status).toBe(204);
  });

  it('is kept up to 8 KiB, and a longer one of moderate size costs no connection', async () => {
    const server = await http((_, answer) => answer.end('x'.repeat(60_000)));
    for (let round = 0; round < 3; round++) {
      expect((await client.post(request(server.port))).body.toString()).toBe('x'.repeat(8192));
    }
    await vi.waitFor(async () => {
      const before = server.accepted;
      await client.post(request(server.port));
      expect(server.accepted).toBe(before);
    });
  });

  it('is its own, also when many come at once', async () => {
    const server = await http((incoming, answer) => {
      answer.end(String(incoming.headers['x-piece']).repeat(800));
    });
    const pieces = Array.from({ length: 30 }, (_, n) => `piece ${n}`);
    const answers = await Promise.all(
      pieces.map((piece) => client.post(request(server.port, { headers: { 'x-piece': piece } }))),
    );
    expect(answers.map(({ body }) => body.toString())).toEqual(pieces.map((piece) => piece.repeat(800)));
  });

  it.each(['content-length', 'chunked', 'until-close'])('without end is cut off (%s)', async (framing) => {
    const heads: Record<string, string> = {
      'content-length': 'content-length: 1000000000\r\n\r\n',
      chunked: 'transfer-encoding: chunked\r\n\r\n3b9aca00\r\n',
      'until-close': '\r\n',
    };
    const server = await serveTcp((socket) => {
      const pour = (): void => {
        while (socket.write('y'.repeat(16_384)));
      };
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\n${heads[framing]}`);
        socket.on('drain', pour);
        pour();
      });
    });
    servers.push(server);
    const response = await client.post(request(server.port));
    expect(response.status).toBe(200);
    expect(response.body).toHaveLength(8192);
    await vi.waitFor(() => expect(server.open.size).toBe(0));
  });

  it('whose start is known is not waited for any further, and its connection not for long', async () => {
    const server = await raw(`HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n${'z'.repeat(9000)}`);
    const response = await client.post(request(server.port, { timeoutMs: 30_000 }));
    expect(response.durationMs).toBeLessThan(1000);
    await vi.waitFor(() => expect(server.open.size).toBe(0), { timeout: 5000 });
  });
});

describe('no answer', () => {
  it('in time is a timeout: headers that do not come', async () => {
    const server = await http(() => {});
    const error = await failure(client.post(request(server.port, { timeoutMs: 150 })));
    expect(error).toMatchObject({ code: 'timeout', retryable: true });
    expect(error.durationMs).toBeGreaterThanOrEqual(149);
    expect(error.durationMs).toBeLessThan(2000);
    await vi.waitFor(() => expect(server.open.size).toBe(0));
  });

  it('in time is a timeout: a body that drips', async () => {
    const server = await http((_, answer) => {
      answer.writeHead(200);
      const drip = setInterval(() => answer.write('.'), 20);
      answer.on('close', () => clearInterval(drip));
    });
    const error = await failure(client.post(request(server.port, { timeoutMs: 200 })));
    expect(error).toMatchObject({ code: 'timeout' });
    await vi.waitFor(() => expect(server.open.size).toBe(0));
  });

  it('from a port where nobody listens', async () => {
    const error = await failure(client.post(request(await closedPort())));
    expect(error).toMatchObject({ code: 'connection_refused', retryable: true });
  });

  it.each(['end', 'reset'] as const)('because the connection was lost (%s)', async (how) => {
    const { port } = await raw('', how);
    expect(await failure(client.post(request(port)))).toMatchObject({ code: 'connection_reset' });
  });

  it('because the connection was lost in its middle', async () => {
    const { port } = await raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', 'end');
    expect(await failure(client.post(request(port)))).toMatchObject({ code: 'connection_reset' });
  });

  it.each([
    ['another protocol', '220 mail.example.com ESMTP\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${`x-pad: ${'p'.repeat(1000)}\r\n`.repeat(40)}`],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n'],
  ])('because it is not valid: %s', async (_, answer) => {
    const { port } = await raw(answer);
    expect(await failure(client.post(request(port)))).toMatchObject({ code: 'response_invalid' });
  });
});
