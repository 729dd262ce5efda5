import { serverSpan, type ActiveSpan } from '@quittance/telemetry';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's SERVER span; ended by the service after the answer. */
    span: ActiveSpan;
  }
}

const UNMATCHED = 'unmatched';

/** One span and one observation of `http_server_request_duration_seconds` per request. */
export function observeRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const duration = metrics.histogram(
    'http_server_request_duration_seconds',
    'Time from a request’s arrival to the end of its answer.',
    ['method', 'route', 'status'],
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  );
  fastify.decorateRequest('span', null as unknown as ActiveSpan);
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { traceparent, tracestate } = request.headers;
    request.span = serverSpan(request.method, request.routeOptions.url ?? UNMATCHED, {
      parent:
        typeof traceparent === 'string'
          ? { traceparent, ...(typeof tracestate === 'string' ? { tracestate } : {}) }
          : undefined,
    });
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { span } = request;
    span.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span.fail(String(reply.statusCode));
    span.end();
    // Methods are counted by name only where a route has them: a client can invent as many as it likes.
    const route = request.routeOptions.url ?? UNMATCHED;
    const method = route === UNMATCHED ? 'any' : request.method;
    duration.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
}
