import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { decodeSpans, type ReceivedSpan } from './otlp-spans.js';
import { waitUntil } from './wait-until.js';

/** Takes spans in over OTLP/HTTP in protobuf, as `OTEL_EXPORTER_OTLP_ENDPOINT` wants it, and keeps them. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.receive(request, response).catch((error: unknown) => {
        response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
      });
    });
  }

  static async create(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get endpoint(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The receiver is closed.');
    return `http://127.0.0.1:${address.port}`;
  }

  trace(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /**
   * Waits until a trace has what it should. Exporters send in batches: spans come seconds late.
   * @returns all spans of the trace
   */
  async waitForTrace(
    traceId: string,
    complete: (spans: ReceivedSpan[]) => boolean,
    options: { timeoutMs?: number; what?: string } = {},
  ): Promise<ReceivedSpan[]> {
    await waitUntil(() => complete(this.trace(traceId)), {
      what: options.what ?? `the spans of trace ${traceId}`,
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    });
    return this.trace(traceId);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    if (request.method !== 'POST' || request.url !== '/v1/traces') {
      response.writeHead(404).end();
      return;
    }
    if (request.headers['content-type'] !== 'application/x-protobuf') {
      response.writeHead(415).end();
      return;
    }
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    this.spans.push(...decodeSpans(body));
    // An empty ExportTraceServiceResponse: everything was taken.
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }
}

export function createOtlpReceiver(): Promise<OtlpReceiver> {
  return OtlpReceiver.create();
}
