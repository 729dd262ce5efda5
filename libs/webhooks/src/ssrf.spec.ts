import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders } from 'node:http';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blockedRange } from './address-policy.js';
import { watchConnections, type ConnectionWatch } from './connection-watch.fixture.js';
import { closedPort, serveHttp, serveTcp, type LoopbackServer } from './loopback-server.js';
import type { Lookup } from './name-resolver.js';
import {
  IPV4_CARRIERS,
  IPV4_SPELLINGS,
  samplesOf,
  SPECIAL_IPV4,
  SPECIAL_IPV6,
} from './special-addresses.fixture.js';
import { WebhookClient, type WebhookClientOptions } from './webhook-client.js';
import { WebhookError } from './webhook-error.js';

let watch: ConnectionWatch;
let client: WebhookClient | undefined;
let servers: LoopbackServer[];

beforeEach(() => {
  watch = watchConnections();
  servers = [];
});
afterEach(async () => {
  await client?.close();
  client = undefined;
  await Promise.all(servers.map((server) => server.close()));
  watch.stop();
});

function clientWith(options: Partial<WebhookClientOptions> = {}): void {
  client = new WebhookClient({ version: '1', ...options });
}

/** @returns the status of the answer, or why there is none */
async function post(url: string): Promise<number | string> {
  const request = { url, pool: 'sub_1', maxConnections: 4, headers: {}, body: Buffer.from('{}') };
  try {
    return (await client!.post({ ...request, timeoutMs: 5000 })).status;
  } catch (error) {
    return error instanceof WebhookError ? error.code : String(error);
  }
}

function resolvingTo(...addresses: string[]): LookupAddress[] {
  return addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
}

/** Listens at every address that this machine has: whatever leads back to it is noticed. */
async function listenEverywhere(): Promise<LoopbackServer> {
  const drop = (): void => {};
  const server = await serveTcp(drop, '::').catch(() => serveTcp(drop, '0.0.0.0'));
  servers.push(server);
  return server;
}

async function answer(status: number, headers: IncomingHttpHeaders = {}): Promise<LoopbackServer> {
  const server = await serveHttp((_, response) => response.writeHead(status, headers).end());
  servers.push(server);
  return server;
}

const ipv4Blocks = SPECIAL_IPV4.map(({ cidr, what }) => [cidr, what] as const);
const ipv6Blocks = SPECIAL_IPV6.map(({ cidr, what }) => [cidr, what] as const);

describe('what watches', () => {
  it('sees connections, with and without TLS, over IPv4 and IPv6', async () => {
    const server = await listenEverywhere();
    const refused = await closedPort();
    clientWith({ allowLoopback: true, lookup: async () => resolvingTo('127.0.0.1') });
    const silent = post(`http://127.0.0.1:${server.port}/`);
    for (const host of ['127.0.0.1', '[::1]', 'hooks.example.com']) {
      await post(`http://${host}:${refused}/`);
      await post(`https://${host}:${refused}/`);
    }
    for (const socket of server.open) socket.destroy();
    await silent;
    expect(server.accepted).toBe(1);
    expect(watch.attempts().sort()).toEqual(
      [
        `127.0.0.1 ${server.port}`,
        ...['127.0.0.1', '::1', '127.0.0.1'].flatMap((address) => Array(2).fill(`${address} ${refused}`)),
      ].sort(),
    );
  });
});

describe('addresses of special purpose are never connected to', () => {
  it.each(ipv4Blocks)('%s: %s, in every spelling and in every form of IPv6', async (cidr) => {
    const server = await listenEverywhere();
    clientWith();
    for (const ipv4 of samplesOf(cidr)) {
      const hosts = [
        ...Object.values(IPV4_SPELLINGS).map((spell) => spell(ipv4)),
        ...Object.values(IPV4_CARRIERS).map((carry) => `[${carry(ipv4)}]`),
      ];
      for (const host of hosts) {
        for (const url of [`http://${host}:${server.port}/`, `https://${host}:${server.port}/`]) {
          expect([url, await post(url)]).toEqual([url, 'address_blocked']);
        }
      }
    }
    expect(watch.attempts()).toEqual([]);
    expect(server.accepted).toBe(0);
  });

  it.each(ipv6Blocks)('%s: %s', async (cidr) => {
    const server = await listenEverywhere();
    clientWith();
    for (const ipv6 of samplesOf(cidr)) {
      for (const url of [`http://[${ipv6}]:${server.port}/`, `https://[${ipv6}]:${server.port}/`]) {
        expect([url, await post(url)]).toEqual([url, 'address_blocked']);
      }
    }
    expect(watch.attempts()).toEqual([]);
    expect(server.accepted).toBe(0);
  });

  it.each([...ipv4Blocks, ...ipv6Blocks])('%s: %s, behind a name', async (cidr) => {
    const server = await listenEverywhere();
    let address = '';
    clientWith({ lookup: async () => resolvingTo(address), names: { freshMs: 0, staleMs: 0 } });
    for (const sample of samplesOf(cidr)) {
      const forms = isIPv6(sample)
        ? [sample, `${sample}%lo`]
        : [sample, ...Object.values(IPV4_CARRIERS).map((carry) => carry(sample))];
      for (address of forms) {
        const url = `http://hooks.example.com:${server.port}/`;
        expect([address, await post(url)]).toEqual([address, 'address_blocked']);
      }
    }
    expect(watch.attempts()).toEqual([]);
    expect(server.accepted).toBe(0);
  });

  it("this machine's own among them, and its names", async () => {
    const server = await listenEverywhere();
    clientWith();
    const own = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .map(({ address }) => address)
      .filter((address) => blockedRange(address, { allowLoopback: false, allowPrivate: false }));
    expect(own).toContain('127.0.0.1');
    const hosts = [...own, '127.0.0.2', '127.255.255.254', '::1', '0.0.0.0', '::'].map((address) =>
      isIPv6(address) ? `[${address}]` : address,
    );
    for (const host of [...hosts, 'localhost', 'LOCALHOST', 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ']) {
      const url = `http://${host}:${server.port}/`;
      expect([url, await post(url)]).toEqual([url, 'address_blocked']);
    }
    expect(watch.attempts()).toEqual([]);
    expect(server.accepted).toBe(0);
  });

  it.each(['[fe80::1%25lo]', '[fe80::1%lo]', '[::1', '127.0.0.1.5', '256.0.0.1', '0x7f.1.1.1.1', '1::1'])(
    'nor is what is no URL: http://%s/',
    async (host) => {
      clientWith({ allowLoopback: true });
      expect(await post(`http://${host}/`)).toBe('request_invalid');
      expect(watch.attempts()).toEqual([]);
    },
  );
});

describe('a redirect', () => {
  it.each([300, 301, 302, 303, 304, 305, 306, 307, 308, 399])(
    'with %i is an answer, not a way',
    async (status) => {
      const target = await listenEverywhere();
      clientWith({ allowLoopback: true });
      for (const location of [
        `http://127.0.0.1:${target.port}/`,
        `//127.0.0.1:${target.port}/`,
        'http://169.254.169.254/latest/meta-data/',
        'http://[::ffff:10.0.0.1]/',
        'file:///etc/passwd',
      ]) {
        const server = await answer(status, {
          location,
          refresh: `0; url=${location}`,
          'alt-svc': 'h2=":443"',
        });
        watch.clear();
        expect(await post(`http://127.0.0.1:${server.port}/`)).toBe(status);
        expect(watch.attempts()).toEqual([`127.0.0.1 ${server.port}`]);
      }
      expect(target.accepted).toBe(0);
    },
  );
});

/** Loopback, which these clients may connect to, stands for a public address: a test calls nobody on the internet. */
describe('a name that changes its mind', () => {
  const FORBIDDEN = ['169.254.169.254', '10.0.0.1', 'fd00:ec2::254', '::ffff:192.168.0.1', '0.0.0.0'];
  let asked: number;
  beforeEach(() => {
    asked = 0;
  });

  const inTurn =
    (...answers: string[][]): Lookup =>
    async () =>
      resolvingTo(...(answers[asked++] ?? answers.at(-1)!));

  it.each(FORBIDDEN)('from a public address to %s is not followed there', async (forbidden) => {
    const server = await answer(200, { connection: 'close' });
    const lookup = inTurn(['127.0.0.1'], [forbidden]);
    clientWith({ allowLoopback: true, lookup, names: { freshMs: 0, staleMs: 0 } });
    const url = `http://rebinding.example.com:${server.port}/`;
    expect([await post(url), await post(url), await post(url)]).toEqual([
      200,
      'address_blocked',
      'address_blocked',
    ]);
    expect(asked).toBe(3);
    expect(watch.attempts()).toEqual([`127.0.0.1 ${server.port}`]);
  });

  it('between two connections is not even noticed while its answer is fresh', async () => {
    const server = await answer(200, { connection: 'close' });
    clientWith({ allowLoopback: true, lookup: inTurn(['127.0.0.1'], ['10.0.0.1']) });
    const url = `http://rebinding.example.com:${server.port}/`;
    expect([await post(url), await post(url)]).toEqual([200, 200]);
    expect(asked).toBe(1);
    expect(watch.attempts()).toEqual(Array(2).fill(`127.0.0.1 ${server.port}`));
  });

  it('while an old answer is in use is found out when the new one is', async () => {
    const server = await answer(200, { connection: 'close' });
    clientWith({ allowLoopback: true, lookup: inTurn(['127.0.0.1'], ['10.0.0.1']), names: { freshMs: 0 } });
    const url = `http://rebinding.example.com:${server.port}/`;
    expect([await post(url), await post(url), await post(url)]).toEqual([200, 200, 'address_blocked']);
    expect(watch.attempts()).toEqual(Array(2).fill(`127.0.0.1 ${server.port}`));
  });

  it('or has addresses of both kinds is connected to at those that are permitted', async () => {
    const server = await answer(200, { connection: 'close' });
    const lookup = inTurn([...FORBIDDEN, '127.0.0.1'], ['127.0.0.1', ...FORBIDDEN]);
    clientWith({ allowLoopback: true, lookup, names: { freshMs: 0, staleMs: 0 } });
    const url = `http://both.example.com:${server.port}/`;
    expect([await post(url), await post(url)]).toEqual([200, 200]);
    expect(watch.attempts()).toEqual(Array(2).fill(`127.0.0.1 ${server.port}`));
  });

  it('or has addresses of both kinds is not connected to at the others when the permitted one is down', async () => {
    const port = await closedPort();
    clientWith({ allowLoopback: true, lookup: inTurn(['127.0.0.1', ...FORBIDDEN]) });
    expect(await post(`http://both.example.com:${port}/`)).toBe('connection_refused');
    expect(await post(`https://both.example.com:${port}/`)).toBe('connection_refused');
    expect(watch.attempts()).toEqual(Array(2).fill(`127.0.0.1 ${port}`));
  });
});
