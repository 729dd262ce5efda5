import { ConnectionPool } from './connection-pool.js';
import type { EgressPolicy } from './egress-policy.js';
import { Exchange, type WebhookResponse } from './exchange.js';
import { GuardedConnector, type GuardedConnectorOptions } from './guarded-connector.js';
import { RecencyMap } from './recency-map.js';
import { WebhookError, type WebhookErrorCode } from './webhook-error.js';

export interface WebhookClientOptions extends Partial<GuardedConnectorOptions> {
  /** Sent in `user-agent: Quittance/<version>`. */
  version: string;
  /** Pools whose connections are kept; exceeded only while all of them have requests under way. Default 4,096. */
  maxPools?: number;
}

export interface WebhookRequest {
  url: URL | string;
  /** On whose behalf it is made: requests of different pools never share connections, nor wait for each other's. */
  pool: string;
  /** How many connections the pool may have with this origin; further requests wait for one of them. */
  maxConnections: number;
  /**
   * Those that belong to the connection or to the client itself are left out: `host`, `connection`, `content-length`,
   * `expect`, `user-agent`, ….
   */
  headers: Readonly<Record<string, string>>;
  /** Sent as it is, and not copied: leave it alone until the answer is there. */
  body: Buffer;
  /** For connect, headers and body together, counted from when the request is given a connection. */
  timeoutMs: number;
  /** Of the team on whose behalf it is made. Left out: what the installation allows, and nothing less or more. */
  egress?: EgressPolicy;
  /** Ends the request with the code `aborted`. One signal may serve any number of requests. */
  signal?: AbortSignal;
}

interface Target {
  url: URL;
  origin: string;
  path: string;
}

const OWN_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);
const MAX_TARGETS = 8192;

/**
 * Posts webhooks over HTTP/1.1 on kept connections, only to addresses that it may connect to; follows no redirect,
 * and reads answers within bounds.
 */
export class WebhookClient {
  private readonly connector: GuardedConnector;
  private readonly userAgent: string;
  private readonly pools: RecencyMap<ConnectionPool>;
  private readonly targets = new RecencyMap<Target>(MAX_TARGETS);
  private readonly signals = new WeakMap<AbortSignal, Set<Exchange>>();
  private underWay = 0;
  private closing: { promise: Promise<void>; finish: () => void } | undefined;

  constructor(options: WebhookClientOptions) {
    this.connector = new GuardedConnector({ allowLoopback: false, allowPrivate: false, ...options });
    this.pools = new RecencyMap(options.maxPools ?? 4096, (pool) => !pool.inUse);
    this.userAgent = `Quittance/${options.version}`;
  }

  /**
   * @returns the answer, whatever its status
   * @throws WebhookError when there is none
   */
  post(request: WebhookRequest): Promise<WebhookResponse> {
    const { signal } = request;
    if (this.closing) return rejected('request_failed', 'The client is closed.');
    if (signal?.aborted) return rejected('aborted', 'The request was aborted.');
    const target = this.targetOf(request.url);
    if (!target) return rejected('request_invalid', 'The URL is not an http or https URL.');
    const refusal = request.egress?.refusal(target.url);
    if (refusal !== undefined) return rejected('address_blocked', refusal);
    const pool = this.poolOf(target.origin, request);
    const options = {
      method: 'POST',
      path: target.path,
      headers: this.headersOf(request.headers),
      body: request.body,
    };
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(target.origin, options, request.timeoutMs, resolve, reject, (settled) => {
        pool.withdraw(settled);
        if (signal) this.signals.get(signal)?.delete(settled);
        this.underWay--;
        if (this.closing && this.underWay === 0) this.closing.finish();
      });
      this.underWay++;
      if (signal) this.watch(signal, exchange);
      pool.submit(exchange);
    });
  }

  /** Takes no more requests, waits for those under way (their deadlines bound that) and closes all connections. */
  async close(): Promise<void> {
    if (!this.closing) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.closing = { promise, finish: resolve };
      if (this.underWay === 0) resolve();
    }
    await this.closing.promise;
    for (const pool of this.pools.values()) pool.closeAll();
    this.pools.clear();
  }

  private headersOf(given: Readonly<Record<string, string>>): string[] {
    const headers = ['user-agent', this.userAgent];
    for (const name of Object.keys(given)) {
      if (!OWN_HEADERS.has(name) && !OWN_HEADERS.has(name.toLowerCase())) headers.push(name, given[name]!);
    }
    return headers;
  }

  /** Parsed once per URL: parsing costs more than signing. */
  private targetOf(url: URL | string): Target | undefined {
    const text = typeof url === 'string' ? url : url.href;
    const known = this.targets.get(text);
    if (known) return known;
    const parsed = URL.parse(text);
    if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') return undefined;
    const target = { url: parsed, origin: parsed.origin, path: parsed.pathname + parsed.search };
    this.targets.set(text, target);
    return target;
  }

  private poolOf(origin: string, { pool: name, maxConnections, egress }: WebhookRequest): ConnectionPool {
    const key = `${name} ${origin} ${egress?.key ?? ''}`;
    let pool = this.pools.get(key);
    if (!pool) {
      pool = new ConnectionPool(origin, this.connector, { opened: egress?.opened, key: egress?.key ?? '' });
      for (const dropped of this.pools.set(key, pool)) dropped.closeAll();
    }
    pool.maxConnections = maxConnections;
    return pool;
  }

  /** One listener per signal: a thousand of them on one signal would be a warning and a slow list. */
  private watch(signal: AbortSignal, exchange: Exchange): void {
    let exchanges = this.signals.get(signal);
    if (!exchanges) {
      const watched = (exchanges = new Set());
      this.signals.set(signal, watched);
      signal.addEventListener(
        'abort',
        () => {
          for (const one of watched) one.abort('aborted', 'The request was aborted.');
        },
        { once: true },
      );
    }
    exchanges.add(exchange);
  }
}

function rejected(code: WebhookErrorCode, message: string): Promise<never> {
  return Promise.reject(new WebhookError(code, message, 0));
}
