import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { serveHttp, type LoopbackServer } from './loopback-server.js';
import { WebhookClient, type WebhookClientOptions, type WebhookRequest } from './webhook-client.js';
import type { WebhookResponse } from './exchange.js';

let clients: WebhookClient[];
let servers: LoopbackServer[];

beforeEach(() => {
  clients = [];
  servers = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(servers.map((server) => server.close()));
});

function clientWith(options: Partial<WebhookClientOptions> = {}): WebhookClient {
  const client = new WebhookClient({ version: '1', allowLoopback: true, ...options });
  clients.push(client);
  return client;
}

async function serve(handler: RequestListener): Promise<LoopbackServer> {
  const server = await serveHttp(handler);
  servers.push(server);
  return server;
}

function post(
  client: WebhookClient,
  server: LoopbackServer,
  more: Partial<WebhookRequest> = {},
): Promise<WebhookResponse> {
  const url = `http://127.0.0.1:${server.port}/`;
  const body = Buffer.from('{}');
  return client.post({
    url,
    pool: 'sub_1',
    maxConnections: 64,
    headers: {},
    body,
    timeoutMs: 5000,
    ...more,
  });
}

describe('connections', () => {
  it('are used again', async () => {
    const client = clientWith();
    const server = await serve((_, answer) => answer.end('ok'));
    for (let round = 0; round < 50; round++) await post(client, server);
    expect(server.accepted).toBe(1);
  });

  it('are as many as requests at once, up to the limit; the others wait their turn', async () => {
    const client = clientWith();
    const answers: ServerResponse[] = [];
    const order: (string | undefined)[] = [];
    const server = await serve((incoming, answer) => {
      order.push(incoming.url);
      answers.push(answer);
    });
    const url = (index: number): string => `http://127.0.0.1:${server.port}/${index}`;
    const posts = [0, 1, 2, 3, 4, 5].map((index) =>
      post(client, server, { url: url(index), maxConnections: 2 }),
    );
    for (const seen of [2, 4, 6]) {
      await vi.waitFor(() => expect(order).toHaveLength(seen));
      for (const answer of answers.splice(0)) answer.end();
    }
    await Promise.all(posts);
    expect(server.accepted).toBe(2);
    expect([order.slice(0, 2), order.slice(2, 4), order.slice(4)].map((pair) => pair.sort())).toEqual([
      ['/0', '/1'],
      ['/2', '/3'],
      ['/4', '/5'],
    ]);
  });

  it('do not count against the deadline of those who wait for one', async () => {
    const client = clientWith();
    const one = { maxConnections: 1 };
    const answers: ServerResponse[] = [];
    const server = await serve((_, answer) => {
      if (answers.push(answer) > 1) answer.end();
    });
    const posts = [post(client, server, one), post(client, server, { ...one, timeoutMs: 150 })];
    const started = performance.now();
    await vi.waitFor(() => expect(performance.now() - started).toBeGreaterThan(300));
    expect(answers).toHaveLength(1);
    answers[0]!.end();
    const [, second] = await Promise.all(posts);
    expect(second).toMatchObject({ status: 200 });
    expect(second!.durationMs).toBeLessThan(150);
  });

  it('are freed by a request that runs out of time', async () => {
    const client = clientWith();
    let requests = 0;
    const server = await serve((_, answer) => {
      if (++requests > 1) answer.end();
    });
    const first = post(client, server, { maxConnections: 1, timeoutMs: 100 });
    const second = post(client, server, { maxConnections: 1 });
    await expect(first).rejects.toMatchObject({ code: 'timeout' });
    expect((await second).status).toBe(200);
  });

  it('are opened anew where the subscriber closes them', async () => {
    const client = clientWith();
    const server = await serve((_, answer) => answer.writeHead(200, { connection: 'close' }).end());
    const posts = await Promise.all(
      Array.from({ length: 5 }, () => post(client, server, { maxConnections: 1 })),
    );
    expect(posts.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(server.accepted).toBe(5);
  });

  it('are opened anew after the subscriber has closed an idle one', async () => {
    const client = clientWith();
    const server = await serve((_, answer) => answer.end());
    await post(client, server);
    for (const socket of server.open) socket.end();
    await vi.waitFor(() => expect(server.open.size).toBe(0));
    expect((await post(client, server)).status).toBe(200);
    expect(server.accepted).toBe(2);
  });

  it('are taken out of service after a thousand requests', async () => {
    const client = clientWith();
    const server = await serve((_, answer) => answer.end());
    for (let round = 0; round < 1001; round++) await post(client, server);
    expect(server.accepted).toBe(2);
  });

  it('survive a long queue of requests that fail on the spot', async () => {
    const client = clientWith({ allowLoopback: false });
    const server = await serve((_, answer) => answer.end());
    const posts = Array.from({ length: 5000 }, () =>
      post(client, server, { maxConnections: 1 }).catch((error: { code: string }) => error.code),
    );
    expect(new Set(await Promise.all(posts))).toEqual(new Set(['address_blocked']));
    expect(server.accepted).toBe(0);
  });
});

describe('pools', () => {
  it('on one host wait neither for the connections of others, nor use them', async () => {
    const client = clientWith();
    const silent: ServerResponse[] = [];
    const server = await serve((incoming, answer) => {
      if (incoming.url === '/silent') silent.push(answer);
      else answer.end('answered');
    });
    const url = `http://127.0.0.1:${server.port}/silent`;
    const stuck = Array.from({ length: 100 }, () =>
      post(client, server, { url, pool: 'sub_dead', maxConnections: 100 }),
    );
    await vi.waitFor(() => expect(silent).toHaveLength(100));
    const answers = await Promise.all([
      post(client, server, { pool: 'sub_a', maxConnections: 1 }),
      post(client, server, { pool: 'sub_b', maxConnections: 1 }),
    ]);
    expect(answers.map(({ body }) => body.toString())).toEqual(['answered', 'answered']);
    expect(server.accepted).toBe(102);
    for (const answer of silent) answer.end();
    await Promise.all(stuck);
    for (let round = 0; round < 5; round++) await post(client, server, { pool: 'sub_a' });
    expect(server.accepted).toBe(102);
  });

  it('take a changed limit over with the next request', async () => {
    const client = clientWith();
    const answers: ServerResponse[] = [];
    const server = await serve((_, answer) => answers.push(answer));
    const posts = [1, 1, 3].map((maxConnections) => post(client, server, { maxConnections }));
    await vi.waitFor(() => expect(answers).toHaveLength(3));
    for (const answer of answers) answer.end();
    await Promise.all(posts);
  });

  it('close connections that fall idle, and open others when they are needed', async () => {
    const client = clientWith();
    // Undici closes a second or two before the server would.
    const server = await serve((_, answer) => answer.writeHead(200, { 'keep-alive': 'timeout=3' }).end());
    await Promise.all(['a', 'b', 'c'].map((pool) => post(client, server, { pool })));
    expect(server.open.size).toBe(3);
    await vi.waitFor(() => expect(server.open.size).toBe(0), { timeout: 10_000 });
    expect((await post(client, server, { pool: 'a' })).status).toBe(200);
  });

  it('beyond the limit cost the least recently used idle one its connections', async () => {
    const client = clientWith({ maxPools: 2 });
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => serve((_, answer) => answer.end())));
    await post(client, first!);
    await post(client, second!);
    await post(client, first!);
    await post(client, third!);
    await vi.waitFor(() => expect(second!.open.size).toBe(0));
    await post(client, first!);
    expect(first!.accepted).toBe(1);
  });

  it('with requests under way keep their connections', async () => {
    const client = clientWith({ maxPools: 1 });
    const answers: ServerResponse[] = [];
    const busy = await serve((_, answer) => answers.push(answer));
    const other = await serve((_, answer) => answer.end());
    const underWay = post(client, busy);
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    expect((await post(client, other)).status).toBe(200);
    answers[0]!.end();
    expect((await underWay).status).toBe(200);
  });
});

describe('closing', () => {
  it('lets requests finish, then closes connections and refuses further requests', async () => {
    const client = clientWith();
    const answers: ServerResponse[] = [];
    const server = await serve((_, answer) => answers.push(answer));
    const one = { maxConnections: 1 };
    const posts = [post(client, server, one), post(client, server, one)];
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    const closed = client.close();
    await expect(post(client, server)).rejects.toMatchObject({ code: 'request_failed' });
    answers[0]!.end();
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]!.end();
    expect((await Promise.all(posts)).map(({ status }) => status)).toEqual([200, 200]);
    await closed;
    await vi.waitFor(() => expect(server.open.size).toBe(0));
  });
});
