import type { LookupAddress } from 'node:dns';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { selfSignedCertificate, type Certificate } from './certificate.fixture.js';
import { serveHttp, serveHttps, type LoopbackServer } from './loopback-server.js';
import { WebhookClient, type WebhookClientOptions, type WebhookRequest } from './webhook-client.js';
import type { WebhookResponse } from './exchange.js';

let certificate: Certificate;
let plain: LoopbackServer;
let secure: LoopbackServer;
let clients: WebhookClient[];

beforeAll(() => {
  certificate = selfSignedCertificate();
});
beforeEach(async () => {
  clients = [];
  plain = await serveHttp((incoming, answer) => answer.end(incoming.headers.host));
  secure = await serveHttps(certificate, ({ socket }, answer) => {
    answer.end(socket instanceof TLSSocket && socket.isSessionReused() ? 'resumed' : 'secure');
  });
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([plain.close(), secure.close()]);
});

function post(
  url: string,
  options: Partial<WebhookClientOptions> = {},
  timeoutMs = 5000,
): Promise<WebhookResponse> {
  const client = new WebhookClient({ version: '1', ...options });
  clients.push(client);
  return client.post(requestTo(url, timeoutMs));
}

function requestTo(url: string, timeoutMs = 5000): WebhookRequest {
  return { url, pool: 'sub_1', maxConnections: 64, headers: {}, body: Buffer.from('{}'), timeoutMs };
}

function resolvingTo(...addresses: string[]): (hostname: string) => Promise<LookupAddress[]> {
  return () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
}

function neverResolving(): Promise<never> {
  return new Promise(() => {});
}

describe('addresses', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    'localhost',
  ])('that are loopback are not connected to, however they are written: %s', async (host) => {
    await expect(post(`http://${host}:${plain.port}/`)).rejects.toMatchObject({
      code: 'address_blocked',
      retryable: true,
    });
    expect(plain.accepted).toBe(0);
  });

  it.each(['169.254.169.254', '10.0.0.1', '192.168.0.1', '[fd00:ec2::254]', '[64:ff9b::a9fe:a9fe]'])(
    'that are link-local, private or metadata are not connected to: %s',
    async (host) => {
      await expect(post(`http://${host}/`, { allowLoopback: true }, 1000)).rejects.toMatchObject({
        code: 'address_blocked',
      });
    },
  );

  it('are checked behind a name as well', async () => {
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '169.254.169.254', '10.0.0.1']) {
      const lookup = resolvingTo(address);
      await expect(post(`http://hooks.example.com:${plain.port}/`, { lookup })).rejects.toMatchObject({
        code: 'address_blocked',
      });
    }
    expect(plain.accepted).toBe(0);
  });

  it('of a name that has several are used as far as they are allowed', async () => {
    const lookup = resolvingTo('169.254.169.254', '10.0.0.1', '127.0.0.1');
    const url = `http://hooks.example.com:${plain.port}/`;
    const response = await post(url, { lookup, allowLoopback: true });
    expect(response.body.toString()).toBe(`hooks.example.com:${plain.port}`);
  });

  it('are those that were checked, even if the name means something else a moment later', async () => {
    let asked = 0;
    const lookup = (): Promise<LookupAddress[]> =>
      resolvingTo(++asked === 1 ? '127.0.0.1' : '169.254.169.254')('');
    const url = `http://rebinding.example.com:${plain.port}/`;
    expect((await post(url, { lookup, allowLoopback: true })).status).toBe(200);
    expect(asked).toBe(1);
  });

  it('may be loopback where that is allowed', async () => {
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', 'localhost']) {
      expect((await post(`http://${host}:${plain.port}/`, { allowLoopback: true })).status).toBe(200);
    }
  });
});

describe('names', () => {
  it.each([
    ['do not exist', () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))],
    ['have no address', () => Promise.resolve([])],
  ])('that %s', async (_, lookup) => {
    await expect(post('http://hooks.example.com/', { lookup })).rejects.toMatchObject({ code: 'dns_failed' });
  });

  it('that nobody resolves in time', async () => {
    await expect(post('http://hooks.example.com/', { lookup: neverResolving }, 100)).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('are asked for once by connections that open together', async () => {
    let asked = 0;
    const lookup = (): Promise<LookupAddress[]> => {
      asked++;
      return resolvingTo('127.0.0.1')('');
    };
    const client = new WebhookClient({ version: '1', allowLoopback: true, lookup });
    clients.push(client);
    const url = `http://hooks.example.com:${plain.port}/`;
    await Promise.all(Array.from({ length: 20 }, () => client.post(requestTo(url))));
    expect(plain.accepted).toBe(20);
    expect(asked).toBe(1);
  });
});

describe('TLS', () => {
  const trusting = (): Partial<WebhookClientOptions> => ({
    allowLoopback: true,
    certificateAuthorities: [certificate.cert],
  });

  it.each(['localhost', '127.0.0.1'])('is spoken with a trusted certificate for %s', async (host) => {
    expect((await post(`https://${host}:${secure.port}/`, trusting())).body.toString()).toBe('secure');
  });

  it('is kept, and resumed by further connections', async () => {
    const client = new WebhookClient({ version: '1', ...trusting() });
    clients.push(client);
    const request = requestTo(`https://localhost:${secure.port}/`);
    for (let round = 0; round < 5; round++) await client.post(request);
    expect(secure.accepted).toBe(1);
    const answers = await Promise.all(Array.from({ length: 3 }, () => client.post(request)));
    expect(answers.map(({ body }) => body.toString()).sort()).toEqual(['resumed', 'resumed', 'secure']);
  });

  it('is resumed by those who share an origin, and no connection', async () => {
    const client = new WebhookClient({ version: '1', ...trusting() });
    clients.push(client);
    const request = requestTo(`https://localhost:${secure.port}/`);
    const first = await client.post({ ...request, pool: 'sub_a' });
    const second = await client.post({ ...request, pool: 'sub_b' });
    expect([first, second].map(({ body }) => body.toString())).toEqual(['secure', 'resumed']);
    expect(secure.accepted).toBe(2);
  });
});
