import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server of the tests' own, on a free loopback port, that counts its connections. */
export interface LoopbackServer {
  port: number;
  /** Connections accepted so far. */
  accepted: number;
  /** Connections open now. */
  open: Set<net.Socket>;
  close(): Promise<void>;
}

async function listen(server: net.Server): Promise<LoopbackServer> {
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  loopback.port = (server.address() as net.AddressInfo).port;
  return loopback;
}

export function serveHttp(handler: http.RequestListener): Promise<LoopbackServer> {
  return listen(http.createServer(handler));
}

export function serveHttps(certificate: Certificate, handler: http.RequestListener): Promise<LoopbackServer> {
  return listen(https.createServer(certificate, handler));
}

/** Speaks whatever the handler writes. */
export function serveTcp(handler: (socket: net.Socket) => void): Promise<LoopbackServer> {
  return listen(net.createServer(handler));
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

export interface Certificate {
  key: string;
  cert: string;
}

/** Self-signed, for `localhost` and 127.0.0.1. By OpenSSL, since Node.js makes no certificates. */
export function selfSignedCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'quittance-certificate-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost`;
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', [...request.split(' '), ...names, '-keyout', key, '-out', cert], {
      stdio: 'pipe',
    });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
