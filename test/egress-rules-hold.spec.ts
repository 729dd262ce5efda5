import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createReceiver,
  freePorts,
  startServices,
  type ApiClient,
  type Receiver,
  type TestInstallation,
} from '@quittance/testing';
import { allIn, storyOf, type StoryAttempt } from './stories.js';

let quittance: TestInstallation;
let receiver: Receiver;

beforeAll(async () => {
  quittance = await startServices();
  receiver = await createReceiver();
});
afterAll(async () => {
  await receiver.close();
  await quittance.stopAll();
});

/** @returns its port on the loopback interfaces, and how many connections it was asked for so far */
async function counted(server: Server): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.on('error', () => undefined);
  });
  server.listen(0);
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

/** What becomes of one event of a new subscription to that URL, which has one attempt. */
async function attemptAt(url: string, client: ApiClient): Promise<StoryAttempt> {
  await client.putEventType('order.completed');
  await client.putSubscription('hook', {
    events: ['order.completed'],
    destination: { webhook: { url } },
    delivery: { retry: { schedule: [] } },
  });
  const { id } = await client.publish({ type: 'order.completed', data: {} });
  const story = await storyOf(client, id, allIn('dead'));
  expect(story.deliveries[0]!.attempts).toHaveLength(1);
  return story.deliveries[0]!.attempts[0]!;
}

describe("a namespace's egress rules", () => {
  it('keep its deliveries from other hosts and ports, from the moment that they were put', async () => {
    const client = quittance.client();
    await client.putEventType('order.completed');
    await client.putSubscription('hook', {
      events: ['order.completed'],
      destination: { webhook: { url: receiver.url } },
      delivery: { retry: { schedule: [] } },
    });
    const attempt = async (): Promise<string | undefined> => {
      const { id } = await client.publish({ type: 'order.completed', data: {} });
      const story = await storyOf(client, id, (each) => allIn('dead')(each) || allIn('delivered')(each));
      return story.deliveries[0]!.attempts[0]!.error?.message;
    };
    expect(await attempt()).toBeUndefined();

    await client.putNamespace({ egress: { hostSuffixes: ['example.com'] } });
    expect(await attempt()).toContain('host "127.0.0.1"');
    await client.putNamespace({ egress: { ports: [443] } });
    expect(await attempt()).toContain(`port ${receiver.port}`);
    expect(receiver.requests).toHaveLength(1);

    await client.putNamespace({ egress: { ports: [receiver.port] } });
    expect(await attempt()).toBeUndefined();
    expect(receiver.requests).toHaveLength(2);
  });
});

describe('an address on the machine of a dispatcher that may not connect to it', () => {
  let guarded: TestInstallation;
  let server: Server;

  beforeAll(async () => {
    guarded = await startServices({ env: { QUITTANCE_ALLOW_LOOPBACK: 'false' } });
    server = createServer((socket) => socket.destroy());
  });
  afterAll(async () => {
    server.close();
    await guarded.stopAll();
  });

  it('is never connected to, however it is written, and the story says so', async () => {
    const { port, connections } = await counted(server);
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '0.0.0.0']) {
      const attempt = await attemptAt(`http://${host}:${port}/hook`, guarded.client());
      expect([host, attempt.status, attempt.error?.code]).toEqual([host, null, 'address_blocked']);
    }
    expect(connections()).toBe(0);
    // It would have noticed.
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'close');
    expect(connections()).toBe(1);
  });
});

describe('a subscriber that cannot be reached', () => {
  it('refuses the connection', async () => {
    const [port] = await freePorts(1);
    const attempt = await attemptAt(`http://127.0.0.1:${port}/hook`, quittance.client());
    expect(attempt).toMatchObject({ status: null, error: { code: 'connection_refused' } });
  });

  it('has a name that nobody knows', async () => {
    const attempt = await attemptAt('http://nobody.invalid/hook', quittance.client());
    expect(attempt).toMatchObject({ status: null, error: { code: 'dns_failed' } });
  });

  it('has a certificate that nobody vouches for: it is connected to, and told nothing', async () => {
    let requests = 0;
    const pem = selfSigned();
    const server = createHttpsServer({ key: pem, cert: pem }, (_request, response) => {
      requests++;
      response.end();
    });
    const { port, connections } = await counted(server);
    const attempt = await attemptAt(`https://localhost:${port}/hook`, quittance.client());
    expect(attempt).toMatchObject({ status: null, error: { code: 'tls_failed' } });
    expect(attempt.error!.message).toContain('self-signed');
    expect(connections()).toBeGreaterThan(0);
    expect(requests).toBe(0);
    server.close();
  });
});

/** A new key and a certificate for `localhost` by nobody but itself, one after the other. Node.js makes no certificates. */
function selfSigned(): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', '-', '-out', '-'];
  return execFileSync('openssl', ['req', '-x509', ...key, ...name, ...files], { stdio: 'pipe' }).toString();
}
