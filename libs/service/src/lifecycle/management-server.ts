import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HealthRegistry } from '../health/health-registry.js';
import type { Metrics } from '../metrics/metrics.js';

export interface ManagementOptions {
  host: string;
  port: number;
  health: HealthRegistry;
  metrics: Metrics;
}

/** `/livez`, `/readyz` and `/metrics`, on a port of their own that is never published. */
export class ManagementServer {
  private readonly server: Server;

  constructor(private readonly options: ManagementOptions) {
    this.server = createServer(
      (request, response) => void this.answer(request.method, request.url, response),
    );
    this.server.requestTimeout = 5000;
    this.server.headersTimeout = 5000;
  }

  /** @throws the listener's error, such as `EADDRINUSE` */
  async listen(): Promise<number> {
    this.server.listen(this.options.port, this.options.host);
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async answer(
    method: string | undefined,
    url: string | undefined,
    response: ServerResponse,
  ): Promise<void> {
    response.setHeader('cache-control', 'no-store');
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, 405, { error: 'Only GET is answered here.' });
      return;
    }
    const { health, metrics } = this.options;
    switch (url?.split('?', 1)[0]) {
      case '/livez': {
        const { alive, checks } = health.report();
        send(response, alive ? 200 : 503, { alive, checks });
        return;
      }
      case '/readyz': {
        const { ready, checks } = health.report();
        send(response, ready ? 200 : 503, { ready, checks });
        return;
      }
      case '/metrics':
        try {
          const text = await metrics.registry.metrics();
          response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text);
        } catch (error) {
          send(response, 500, { error: error instanceof Error ? error.message : String(error) });
        }
        return;
      default:
        send(response, 404, { error: 'There are /livez, /readyz and /metrics.' });
    }
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
