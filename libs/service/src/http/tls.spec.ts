import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defineConfig, readConfig } from '../config/config.js';
import { RawClient, startPublic } from './public-port.fixture.js';
import { makeTlsPair } from './tls-pair.fixture.js';

type Public = Awaited<ReturnType<typeof startPublic>>;

const EXPIRY = new Date('2040-05-06T07:08:09Z');
let folder: string;
let service: Public | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quittance-tls-'));
});
afterEach(async () => {
  await service?.close();
  service = undefined;
});
afterAll(() => rm(folder, { recursive: true }));

const certFile = () => join(folder, 'current', 'tls.crt');
const keyFile = () => join(folder, 'current', 'tls.key');

let generation = 0;
/** As Kubernetes updates a mounted secret: a new folder, and a symlink that is swapped at once. */
async function provide(cert: string, key: string): Promise<void> {
  const name = `v${++generation}`;
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'tls.crt'), cert);
  await writeFile(join(folder, name, 'tls.key'), key);
  await symlink(name, join(folder, `link-${name}`));
  await rename(join(folder, `link-${name}`), join(folder, 'current'));
}

async function start(variables: Record<string, string> = {}): Promise<Public> {
  service = await startPublic({
    QUITTANCE_TLS_CERT_FILE: certFile(),
    QUITTANCE_TLS_KEY_FILE: keyFile(),
    QUITTANCE_TLS_RELOAD: '50ms',
    ...variables,
  });
  return service;
}

interface Answer {
  subject: string | undefined;
  status: number | undefined;
  hsts: string | string[] | undefined;
  reused: boolean;
}

function get(port: number, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/address', agent, rejectUnauthorized: false });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const { CN } = (response.socket as TLSSocket).getPeerCertificate().subject;
      const subject = Array.isArray(CN) ? CN[0] : CN;
      const hsts = response.headers['strict-transport-security'];
      response.resume().once('end', () => {
        resolve({ subject, status: response.statusCode, hsts, reused: sent.reusedSocket });
      });
    });
    sent.end();
  });
}

/** Over a connection of its own. */
const getAnew = (port: number): Promise<Answer> => get(port, new Agent({ maxCachedSessions: 0 }));

describe('a public port with a certificate', () => {
  it('serves TLS, tells browsers to stay with it, and shows when the certificate ends', async () => {
    const { cert, key } = makeTlsPair('first', EXPIRY);
    await provide(cert, key);
    const { port, metrics } = await start();
    expect(await getAnew(port)).toMatchObject({ subject: 'first', status: 200, hsts: 'max-age=63072000' });
    expect(await metrics()).toMatch(
      new RegExp(`quittance_tls_certificate_expiry_timestamp_seconds\\{.*\\} ${EXPIRY.getTime() / 1000}`),
    );
  });

  it('speaks no version of TLS below 1.2', async () => {
    const { cert, key } = makeTlsPair('versions', EXPIRY);
    await provide(cert, key);
    const { port, lines } = await start();
    const handshake = (version: 'TLSv1.1' | 'TLSv1.2') =>
      new Promise<string | null>((resolve) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0',
          rejectUnauthorized: false,
        });
        socket.once('secureConnect', () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.once('error', () => resolve('refused'));
      });
    expect(await handshake('TLSv1.1')).toBe('refused');
    expect(await handshake('TLSv1.2')).toBe('TLSv1.2');
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('hangs up on a client that shakes no hands, and on one that speaks plain HTTP', async () => {
    const { cert, key } = makeTlsPair('silent', EXPIRY);
    await provide(cert, key);
    const { port, lines } = await start({ QUITTANCE_REQUEST_TIMEOUT: '300ms' });
    const silent = await RawClient.connect(port);
    expect(await silent.closed()).toBe('');
    const plain = await RawClient.connect(port);
    await plain.write('GET /address HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await plain.closed()).not.toContain('HTTP/1.1');
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('serves a changed certificate without closing the connections that are open', async () => {
    const old = makeTlsPair('old', EXPIRY);
    await provide(old.cert, old.key);
    const { port } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await get(port, agent)).toMatchObject({ subject: 'old' });

    const fresh = makeTlsPair('fresh', EXPIRY);
    await provide(fresh.cert, fresh.key);
    await expect.poll(async () => (await getAnew(port)).subject).toBe('fresh');
    expect(await get(port, agent)).toMatchObject({ reused: true, status: 200 });
    agent.destroy();
  });

  it('goes on with what it has when the new pair cannot be used, says so once, and takes the next good one', async () => {
    const old = makeTlsPair('kept', EXPIRY);
    await provide(old.cert, old.key);
    const { port, lines, metrics } = await start();
    const stranger = makeTlsPair('stranger', EXPIRY);
    await provide(stranger.cert, old.key);
    await expect.poll(metrics).toMatch(/quittance_tls_reload_failed\{.*\} 1/);
    expect((await getAnew(port)).subject).toBe('kept');
    await rm(certFile());
    await writeFile(certFile(), 'no certificate');

    const good = makeTlsPair('good', EXPIRY);
    await provide(good.cert, good.key);
    await expect.poll(async () => (await getAnew(port)).subject).toBe('good');
    await expect.poll(metrics).toMatch(/quittance_tls_reload_failed\{.*\} 0/);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('PRIVATE KEY');
  });
});

describe('the configuration of TLS', () => {
  it('needs both files, or none', () => {
    expect(() => readConfig(defineConfig({}), { QUITTANCE_TLS_KEY_FILE: '/tls.key' })).toThrow(
      /QUITTANCE_TLS_CERT_FILE is not set/,
    );
  });

  it('stops the start when a file is not there, is no certificate or no key, or the two do not match', async () => {
    const one = makeTlsPair('one', EXPIRY);
    const other = makeTlsPair('other', EXPIRY);
    await expect(start({ QUITTANCE_TLS_CERT_FILE: join(folder, 'nowhere') })).rejects.toThrow(
      'QUITTANCE_TLS_CERT_FILE must name a file that can be read (ENOENT)',
    );
    await provide('no certificate', one.key);
    await expect(start()).rejects.toThrow('QUITTANCE_TLS_CERT_FILE must name a file with a certificate');
    await provide(one.cert, 'no key');
    await expect(start()).rejects.toThrow('QUITTANCE_TLS_KEY_FILE must name a file with a private key');
    await provide(one.cert, other.key);
    await expect(start()).rejects.toThrow(
      'QUITTANCE_TLS_KEY_FILE must name the key of the first certificate',
    );
  });
});
