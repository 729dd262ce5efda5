import type { LookupAddress } from 'node:dns';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { selfSignedCertificate, type Certificate } from './certificate.fixture.js';
import { closedPort, serveHttp, serveHttps, serveTcp, type LoopbackServer } from './loopback-server.js';
import type { Lookup } from './name-resolver.js';
import { WebhookClient, type WebhookClientOptions } from './webhook-client.js';
import { describeFailure, WebhookError, type WebhookErrorCode } from './webhook-error.js';

const DAY_MS = 86_400_000;

let valid: Certificate;
let servers: LoopbackServer[];
let clients: WebhookClient[];

beforeAll(() => {
  valid = selfSignedCertificate();
});
beforeEach(() => {
  servers = [];
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(servers.map((server) => server.close()));
});

async function port(server: Promise<LoopbackServer>): Promise<number> {
  servers.push(await server);
  return (await server).port;
}

const toLoopback: Lookup = async (): Promise<LookupAddress[]> => [{ address: '127.0.0.1', family: 4 }];

async function failure(
  url: string,
  options: Partial<WebhookClientOptions> = {},
  timeoutMs = 5000,
): Promise<{ code: WebhookErrorCode; message: string }> {
  const client = new WebhookClient({ version: '1', allowLoopback: true, lookup: toLoopback, ...options });
  clients.push(client);
  const request = { pool: 'sub_1', maxConnections: 1, headers: {}, body: Buffer.from('{}') };
  try {
    await client.post({ url, ...request, timeoutMs });
  } catch (error) {
    if (error instanceof WebhookError) return { code: error.code, message: error.message };
  }
  throw new Error(`expected a failure of ${url}`);
}

describe('TLS', () => {
  it('with a certificate that nobody vouches for', async () => {
    const url = `https://localhost:${await port(serveHttps(valid, () => {}))}`;
    expect(await failure(url)).toEqual({
      code: 'tls_failed',
      message: `TLS with ${url} failed: its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT).`,
    });
  });

  it('with a certificate that has expired', async () => {
    const expired = selfSignedCertificate(7 * DAY_MS);
    const url = `https://localhost:${await port(serveHttps(expired, () => {}))}`;
    expect(await failure(url, { certificateAuthorities: [expired.cert] })).toEqual({
      code: 'tls_failed',
      message: `TLS with ${url} failed: its certificate has expired (CERT_HAS_EXPIRED).`,
    });
  });

  it('with a certificate that is not valid yet', async () => {
    const early = selfSignedCertificate(-7 * DAY_MS);
    const url = `https://localhost:${await port(serveHttps(early, () => {}))}`;
    expect(await failure(url, { certificateAuthorities: [early.cert] })).toEqual({
      code: 'tls_failed',
      message: `TLS with ${url} failed: its certificate is not valid yet (CERT_NOT_YET_VALID).`,
    });
  });

  it('with a certificate for another name', async () => {
    const url = `https://hooks.example.com:${await port(serveHttps(valid, () => {}))}`;
    expect(await failure(url, { certificateAuthorities: [valid.cert] })).toEqual({
      code: 'tls_failed',
      message: `TLS with ${url} failed: its certificate is for another host name (ERR_TLS_CERT_ALTNAME_INVALID).`,
    });
  });

  it('where something else is spoken', async () => {
    const url = `https://localhost:${await port(serveHttp(() => {}))}`;
    const { code, message } = await failure(url);
    expect(code).toBe('tls_failed');
    expect(message).toContain(`TLS with ${url} failed: something else than TLS is spoken at that port`);
  });

  it('that is broken off', async () => {
    const url = `https://localhost:${await port(serveTcp((socket) => socket.destroy()))}`;
    expect(await failure(url)).toEqual({
      code: 'tls_failed',
      message: `TLS with ${url} failed: it closed the connection during the handshake (ECONNRESET).`,
    });
  });

  it('that never comes about', async () => {
    const url = `https://localhost:${await port(serveTcp(() => {}))}`;
    expect(await failure(url, {}, 100)).toEqual({
      code: 'timeout',
      message: `${url} did not finish the TLS handshake within 100 ms.`,
    });
  });
});

describe('a connection', () => {
  it('that is refused', async () => {
    const url = `http://localhost:${await closedPort()}`;
    expect(await failure(url)).toEqual({
      code: 'connection_refused',
      message: `${url} refused the connection.`,
    });
  });

  it('that is reset', async () => {
    const url = `http://localhost:${await port(serveTcp((socket) => socket.resetAndDestroy()))}`;
    expect(await failure(url)).toEqual({
      code: 'connection_reset',
      message: `${url} closed the connection without an answer.`,
    });
  });

  it.each(['EHOSTUNREACH', 'ENETUNREACH'])('to which no way leads: %s', (code) => {
    // Which addresses have no route depends on the machine; what the system says about them does not.
    const error = Object.assign(new Error(`connect ${code}`), { code });
    expect(describeFailure(error, 'http://hooks.example.com')).toEqual({
      code: 'host_unreachable',
      message: `No way leads to http://hooks.example.com (${code}).`,
    });
  });
});

describe('a name', () => {
  it('that does not exist', async () => {
    const lookup: Lookup = async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND hooks.example.com'), { code: 'ENOTFOUND' });
    };
    expect(await failure('http://hooks.example.com/', { lookup })).toEqual({
      code: 'dns_failed',
      message: 'The host name of http://hooks.example.com cannot be resolved.',
    });
  });

  it('whose name server is silent for longer than the request lasts', async () => {
    const lookup: Lookup = () => new Promise(() => {});
    expect(await failure('http://hooks.example.com/', { lookup }, 100)).toEqual({
      code: 'timeout',
      message: 'The host name of http://hooks.example.com was not resolved within 100 ms.',
    });
  });

  it('whose name server is silent for longer than anybody waits for it', async () => {
    const lookup: Lookup = () => new Promise(() => {});
    const names = { patienceMs: 50 };
    expect(await failure('http://hooks.example.com/', { lookup, names })).toMatchObject({
      code: 'dns_failed',
    });
  });
});

describe('an answer that takes its time', () => {
  it('before it begins', async () => {
    const url = `http://localhost:${await port(serveHttp(() => {}))}`;
    expect(await failure(url, {}, 100)).toEqual({
      code: 'timeout',
      message: `${url} did not answer within 100 ms.`,
    });
  });

  it.each([
    ['in its headers', 'HTTP/1.1 200 OK\r\nx-slow: ', 'answer'],
    ['in its body', 'HTTP/1.1 200 OK\r\n\r\n', 'finish its answer'],
  ])('%s, byte by byte, however alive it keeps the connection', async (_, start, what) => {
    const server = serveTcp((socket) => {
      socket.once('data', () => {
        socket.write(start);
        const drip = setInterval(() => socket.write('.'), 100);
        socket.on('close', () => clearInterval(drip));
      });
    });
    const url = `http://localhost:${await port(server)}`;
    expect(await failure(url, {}, 500)).toEqual({
      code: 'timeout',
      message: `${url} did not ${what} within 500 ms.`,
    });
  });
});
