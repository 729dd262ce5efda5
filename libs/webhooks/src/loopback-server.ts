import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { Certificate } from './certificate.fixture.js';

/** A server of the tests' own, on a free loopback port, that counts its connections. */
export interface LoopbackServer {
  port: number;
  /** Connections accepted so far. */
  accepted: number;
  /** Connections open now. */
  open: Set<net.Socket>;
  close(): Promise<void>;
}

async function listen(server: net.Server, host = '127.0.0.1'): Promise<LoopbackServer> {
  const open = new Set<net.Socket>();
  const loopback: LoopbackServer = {
    port: 0,
    accepted: 0,
    open,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  server.on('connection', (socket: net.Socket) => {
    loopback.accepted++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  loopback.port = (server.address() as net.AddressInfo).port;
  return loopback;
}

export function serveHttp(handler: http.RequestListener): Promise<LoopbackServer> {
  return listen(http.createServer(handler));
}

export function serveHttps(certificate: Certificate, handler: http.RequestListener): Promise<LoopbackServer> {
  return listen(https.createServer(certificate, handler));
}

/**
 * Speaks whatever the handler writes.
 * @param host where it listens, by default 127.0.0.1
 */
export function serveTcp(handler: (socket: net.Socket) => void, host?: string): Promise<LoopbackServer> {
  return listen(net.createServer(handler), host);
}

/** A port at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await serveTcp(() => {});
  await server.close();
  return server.port;
}

export function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks)));
  });
}
