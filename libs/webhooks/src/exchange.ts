import { performance } from 'node:perf_hooks';
import type { Dispatcher } from 'undici';
import type { ConnectStage } from './guarded-connector.js';
import { honoursRetryAfter, parseRetryAfter } from './retry-policy.js';
import { describeFailure, describeTimeout, WebhookError, type WebhookErrorCode } from './webhook-error.js';

/** What is kept of an answer. */
export const MAX_KEPT_BYTES = 8 * 1024;
/** What is read of an answer, to keep its connection; beyond, a new connection is the cheaper one. */
export const MAX_READ_BYTES = 64 * 1024;
/** How long the rest of an answer is read whose start is known already. */
const DRAIN_MS = 1000;

/** A subscriber's answer, whatever its status. */
export interface WebhookResponse {
  status: number;
  /** What `Retry-After` asks for with a 429 or 503. */
  retryAfterMs?: number;
  /** The first 8 KiB at most. */
  body: Buffer;
  /** From when the request was given a connection of its own until the answer was known. */
  durationMs: number;
}

const EMPTY = Buffer.alloc(0);

/** The connection that carries an exchange, as far as the exchange needs it. */
export interface ExchangeConnection {
  readonly client: Dispatcher;
  /** What is waited for before the request can be sent; nothing once it can. */
  readonly stage: ConnectStage | undefined;
  /** The answer was read to its end: the next request may follow. */
  release(): void;
  /** Closes it at once, whatever it is doing. */
  discard(): void;
}

/** One request and its answer: deadline, bounds on what is read, and the promise that ends with it. */
export class Exchange implements Dispatcher.DispatchHandler {
  private connection: ExchangeConnection | undefined;
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private settled = false;
  private status = 0;
  private retryAfterMs: number | undefined;
  private kept: Buffer = EMPTY;
  private bytesRead = 0;

  constructor(
    readonly origin: string,
    readonly request: Dispatcher.DispatchOptions,
    private readonly timeoutMs: number,
    private readonly resolve: (response: WebhookResponse) => void,
    private readonly reject: (error: WebhookError) => void,
    /** Called once, when the promise is settled. */
    private readonly onSettled: (exchange: Exchange) => void,
  ) {}

  /** The deadline counts from here: connect, headers and body. */
  start(connection: ExchangeConnection): void {
    this.connection = connection;
    this.startedAt = performance.now();
    this.timer = setTimeout(Exchange.onDeadline, this.timeoutMs, this);
    connection.client.dispatch(this.request, this);
  }

  /** Ends it at once, on the caller's word. Its connection is lost with it. */
  abort(code: WebhookErrorCode, message: string): void {
    if (this.settled) return;
    this.fail(code, message);
    this.connection?.discard();
  }

  onRequestStart(): void {}

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.status = status;
    if (honoursRetryAfter(status)) {
      this.retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now());
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.bytesRead += chunk.length;
    if (!this.settled) {
      this.keep(chunk);
      if (this.bytesRead >= MAX_KEPT_BYTES) {
        this.succeed();
        this.timer = setTimeout(Exchange.onDrainDeadline, DRAIN_MS, this);
      }
    }
    if (this.bytesRead > MAX_READ_BYTES) this.abandonConnection();
  }

  onResponseEnd(): void {
    clearTimeout(this.timer);
    if (!this.settled) this.succeed();
    this.connection?.release();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    clearTimeout(this.timer);
    if (!this.settled) {
      const { code, message } = describeFailure(error, this.origin);
      this.fail(code, message, error);
    }
    this.connection?.discard();
  }

  private static onDeadline(exchange: Exchange): void {
    const { origin, status, timeoutMs, connection } = exchange;
    exchange.abort('timeout', describeTimeout(origin, timeoutMs, status === 0 ? connection?.stage : 'body'));
  }

  private static onDrainDeadline(exchange: Exchange): void {
    exchange.abandonConnection();
  }

  private abandonConnection(): void {
    clearTimeout(this.timer);
    this.connection?.discard();
  }

  private keep(chunk: Buffer): void {
    const wanted = chunk.subarray(0, MAX_KEPT_BYTES - this.kept.length);
    this.kept = this.kept.length === 0 ? wanted : Buffer.concat([this.kept, wanted]);
  }

  private succeed(): void {
    const response: WebhookResponse = {
      status: this.status,
      body: this.kept,
      durationMs: this.durationMs(),
    };
    if (this.retryAfterMs !== undefined) response.retryAfterMs = this.retryAfterMs;
    this.settle();
    this.resolve(response);
  }

  private fail(code: WebhookErrorCode, message: string, cause?: Error): void {
    const error = new WebhookError(code, message, this.durationMs(), cause && { cause });
    this.settle();
    this.reject(error);
  }

  private settle(): void {
    this.settled = true;
    clearTimeout(this.timer);
    this.onSettled(this);
  }

  /** To the microsecond; more digits would only be carried along. */
  private durationMs(): number {
    return this.startedAt === 0 ? 0 : Math.round((performance.now() - this.startedAt) * 1000) / 1000;
  }
}
