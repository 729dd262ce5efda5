import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAnswer, RawClient, startPublic, waiting } from './public-port.fixture.js';

type Public = Awaited<ReturnType<typeof startPublic>>;

const POST_BEGINNING =
  'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n"half';

describe('a public port', () => {
  let service: Public;
  beforeAll(async () => {
    service = await startPublic({ QUITTANCE_REQUEST_TIMEOUT: '300ms' });
  });
  afterAll(() => service.close());

  async function exchange(...writes: string[]) {
    const client = await RawClient.connect(service.port);
    for (const text of writes) await client.write(text);
    return parseAnswer(await client.closed());
  }

  it('sends security headers with every answer, and does not say what it is made of', async () => {
    for (const path of ['/address', '/nothing', '/%zz']) {
      const { headers } = await fetch(service.url(path));
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('server')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });

  it('cuts off a body that comes too slowly, and says so', async () => {
    const { status, problem, headers } = await exchange(POST_BEGINNING);
    expect(status).toBe(408);
    expect(problem).toMatchObject({ status: 408, code: 'request_timeout' });
    expect(headers).toContain('connection: close');
    expect(headers).toContain('x-content-type-options: nosniff');
    expect(await service.metrics()).toMatch(
      /http_server_request_duration_seconds_count\{.*route="\/echo",status="408".*\} 1/,
    );
  });

  it('cuts off headers that come too slowly', async () => {
    const { status, problem, headers } = await exchange('GET /address HTTP/1.1\r\nhost: a\r\nx-slow:');
    expect(status).toBe(408);
    expect(problem).toMatchObject({ code: 'request_timeout' });
    expect(headers).toContain('content-type: application/problem+json');
    expect(headers).toContain('cache-control: no-store');
  });

  it('refuses headers of more than 16 KiB', async () => {
    const { status, problem } = await exchange(
      `GET /address HTTP/1.1\r\nhost: a\r\nx-long: ${'x'.repeat(17_000)}\r\n\r\n`,
    );
    expect(status).toBe(431);
    expect(problem).toMatchObject({ status: 431, code: 'headers_too_large' });
  });

  it('takes headers of 15 KiB', async () => {
    const response = await fetch(service.url('/address'), { headers: { 'x-long': 'x'.repeat(15 * 1024) } });
    expect(response.status).toBe(200);
  });

  it('refuses what is not HTTP', async () => {
    const { status, problem } = await exchange('nothing of the kind\r\n\r\n');
    expect(status).toBe(400);
    expect(problem).toMatchObject({ code: 'malformed_request' });
  });

  it('refuses a body whose chunks are not well-formed', async () => {
    const { status, problem } = await exchange(
      'POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nnone\r\n',
    );
    expect(status).toBe(400);
    expect(problem).toMatchObject({ code: 'malformed_request' });
  });

  it('gives no answer twice when rubbish follows a request that is still being answered', async () => {
    const client = await RawClient.connect(service.port);
    await client.write('GET /wait HTTP/1.1\r\nhost: a\r\n\r\n');
    await expect.poll(() => waiting.length).toBe(1);
    await client.write('rubbish\r\n\r\n');
    expect(await client.closed()).toBe('');
    waiting.pop()?.();
  });
});

describe('a client that hangs up half-way', () => {
  let service: Public;
  afterEach(() => service.close());

  it('is no error of the service', async () => {
    service = await startPublic();
    const client = await RawClient.connect(service.port);
    await client.write(POST_BEGINNING);
    client.abandon();
    await expect
      .poll(() => service.metrics())
      .toMatch(/http_server_request_duration_seconds_count\{.*route="\/echo",status="400".*\} 1/);
    expect(service.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});

describe('the number of connections', () => {
  let service: Public;
  afterEach(() => service.close());

  it('is bounded: what comes on top is closed, and counted', async () => {
    service = await startPublic({ QUITTANCE_MAX_CONNECTIONS: '1' });
    const first = await RawClient.connect(service.port);
    await first.write('GET /address HTTP/1.1\r\nhost: a\r\n\r\n');
    await expect.poll(() => first.answer).toContain('200 OK');
    const second = await RawClient.connect(service.port);
    expect(await second.closed()).toBe('');
    expect(await service.metrics()).toMatch(/quittance_http_dropped_connections_total\{.*\} 1/);
    first.abandon();
  });
});

describe('the address of a client', () => {
  let service: Public;
  afterEach(() => service.close());

  async function addressWith(forwardedFor: string): Promise<string> {
    const response = await fetch(service.url('/address'), { headers: { 'x-forwarded-for': forwardedFor } });
    return ((await response.json()) as { address: string }).address;
  }

  it('is that of the connection, whatever it claims, when no proxy is trusted', async () => {
    service = await startPublic();
    expect(await addressWith('203.0.113.9')).toBe('127.0.0.1');
  });

  it('is what a trusted proxy says', async () => {
    service = await startPublic({ QUITTANCE_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.0/8' });
    expect(await addressWith('203.0.113.9')).toBe('203.0.113.9');
    // The client put the first one there itself; the last two are proxies of ours.
    expect(await addressWith('198.51.100.1, 203.0.113.9, 10.1.2.3')).toBe('203.0.113.9');
  });

  it('is that of the connection when another proxy than the trusted ones forwards', async () => {
    service = await startPublic({ QUITTANCE_TRUSTED_PROXIES: '10.0.0.0/8' });
    expect(await addressWith('203.0.113.9')).toBe('127.0.0.1');
  });
});
