import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

/** A port that something is about to listen on. */
export interface PortClaim {
  host: string;
  port: number;
  /** Completes "port 8080 is meant for …": `ingest's public API`. */
  purpose: string;
  /** The environment variable that moves it. */
  variable: string;
}

/** At least one port cannot be had. The message has one line per port and says how to move it. */
export class PortsTakenError extends Error {
  readonly code = 'ports_taken';
  readonly retryable = false;
  readonly taken: readonly PortClaim[];

  constructor(taken: readonly PortClaim[]) {
    super(
      taken
        .map(
          ({ host, port, purpose, variable }) =>
            `Port ${host}:${port} is taken; it is meant for ${purpose}. ` +
            `Stop what listens there, or choose another one: ${variable}=<port>.`,
        )
        .join('\n'),
    );
    this.taken = taken;
  }
}

/** @throws PortsTakenError naming every claimed port that is taken, or claimed twice */
export async function assertPortsFree(claims: readonly PortClaim[]): Promise<void> {
  const free = await Promise.all(claims.map(({ host, port }) => isFree(host, port)));
  const taken = claims.filter(
    (claim, index) => !free[index] || claims.findIndex((other) => isSame(other, claim)) !== index,
  );
  if (taken.length > 0) throw new PortsTakenError(taken);
}

/** First port that `freePorts` gives out: above what daemons like to use. */
const LOWEST = 10_240;
/** Where Linux and macOS begin to give out ports to outgoing connections, unless configured otherwise. */
const EPHEMERAL = 32_768;

/**
 * Ports that are free now and stay so while their owner restarts: outside the range of outgoing
 * connections, any of which could otherwise take the port of a server that is down for a moment.
 */
export async function freePorts(count: number, host = '127.0.0.1'): Promise<number[]> {
  const highest = Math.min(ephemeralStart(), EPHEMERAL);
  const held: Server[] = [];
  try {
    for (let tries = 0; held.length < count; tries++) {
      if (tries > count * 50) throw new Error(`No ${count} free ports between ${LOWEST} and ${highest}.`);
      const server = await listen(host, LOWEST + Math.floor(Math.random() * (highest - LOWEST)));
      if (server) held.push(server);
    }
    return held.map((server) => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
      return address.port;
    });
  } finally {
    await Promise.all(held.map(close));
  }
}

function isSame(a: PortClaim, b: PortClaim): boolean {
  return a.port === b.port && a.host === b.host;
}

function ephemeralStart(): number {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const start = Number(text.trim().split(/\s+/)[0]);
    return start > LOWEST + 1000 ? start : EPHEMERAL;
  } catch {
    return EPHEMERAL;
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = await listen(host, port);
  if (!server) return false;
  await close(server);
  return true;
}

/** `undefined` when the port is taken. */
function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
