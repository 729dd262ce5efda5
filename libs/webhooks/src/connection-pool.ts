import { Client } from 'undici';
import type { Exchange, ExchangeConnection } from './exchange.js';
import type { Connecting, ConnectScope, ConnectStage, GuardedConnector } from './guarded-connector.js';

const MAX_HEADER_BYTES = 16 * 1024;
/** For origins that announce no keep-alive timeout: under the 5 s after which many servers close idle connections. */
const KEEP_ALIVE_MS = 4000;
const MAX_KEEP_ALIVE_MS = 60_000;
/** Lets a balancer in front of the subscriber, or a changed address, take effect under constant load. */
const REQUESTS_PER_CONNECTION = 1000;

/** One connection to an origin; carries one request at a time, and connects anew when it was closed between two. */
export class Connection implements ExchangeConnection {
  readonly client: Client;
  /** Whether a request is on it. */
  busy = false;
  private connecting: Connecting | undefined;
  private discarded = false;

  constructor(
    private readonly pool: ConnectionPool,
    connector: GuardedConnector,
  ) {
    this.client = new Client(pool.origin, {
      allowH2: false,
      pipelining: 1,
      // Each request has one deadline for everything, kept by its exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      maxRequestsPerClient: REQUESTS_PER_CONNECTION,
      connect: (target, callback) => {
        this.connecting = connector.connect(target, pool.scope, (...outcome) => {
          this.connecting = undefined;
          callback(...outcome);
        });
      },
    });
    this.client.on('disconnect', () => {
      if (!this.busy) this.discard();
    });
  }

  /** What is waited for before the request can be sent; nothing once it can. */
  get stage(): ConnectStage | undefined {
    return this.connecting?.stage;
  }

  /** The answer was read to its end: the next request may follow. */
  release(): void {
    if (!this.discarded) this.pool.takeBack(this);
  }

  /** Closes it at once, whatever it is doing. */
  discard(): void {
    if (this.discarded) return;
    this.discarded = true;
    this.connecting?.destroy();
    void this.client.destroy();
    this.pool.forget(this);
  }
}

/**
 * One subscriber's connections to one origin: those of others on the same host are neither used nor waited for.
 * undici's own `Pool` keeps a request that has run out of time in its queue until some connection picks it up, body
 * included; here a request is either on a connection, which ends with it, or gone.
 */
export class ConnectionPool {
  /** Further requests wait for one of these, first come, first served. */
  maxConnections = 0;
  private readonly all = new Set<Connection>();
  private readonly idle: Connection[] = [];
  private readonly waiting = new Set<Exchange>();
  private starting = false;

  /** @param scope what its connections may reach */
  constructor(
    readonly origin: string,
    private readonly connector: GuardedConnector,
    readonly scope: ConnectScope,
  ) {}

  get inUse(): boolean {
    return this.idle.length < this.all.size || this.waiting.size > 0;
  }

  submit(exchange: Exchange): void {
    this.waiting.add(exchange);
    this.startWaiting();
  }

  /** Takes a request out of the queue, if it is still in there. */
  withdraw(exchange: Exchange): void {
    this.waiting.delete(exchange);
  }

  takeBack(connection: Connection): void {
    connection.busy = false;
    // Last in, first out: connections that a burst has opened fall idle and close.
    this.idle.push(connection);
    this.startWaiting();
  }

  forget(connection: Connection): void {
    this.all.delete(connection);
    const index = this.idle.indexOf(connection);
    if (index !== -1) this.idle.splice(index, 1);
    this.startWaiting();
  }

  /** Closes what is open, answers that are still being drained among it. */
  closeAll(): void {
    for (const connection of this.all) connection.discard();
  }

  private startWaiting(): void {
    // A request that fails on the spot comes back here; a loop, since a long queue of those would be a deep recursion.
    if (this.starting) return;
    this.starting = true;
    for (const exchange of this.waiting) {
      const connection = this.idle.pop() ?? this.grow();
      if (!connection) break;
      this.waiting.delete(exchange);
      connection.busy = true;
      exchange.start(connection);
    }
    this.starting = false;
  }

  private grow(): Connection | undefined {
    if (this.all.size >= this.maxConnections) return undefined;
    const connection = new Connection(this, this.connector);
    this.all.add(connection);
    return connection;
  }
}
