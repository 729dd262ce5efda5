import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Problem } from '@quittance/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import type { Metrics } from '../metrics/metrics.js';
import { sendProblem } from './problem-filter.js';
import { observeRequests } from './request-observation.js';
import type { RouteTable } from './route-table.js';

export const MAX_BODY_BYTES = 1024 * 1024;

/** A client that sends slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
/** Silence on a connection; longer than any answer takes. */
const CONNECTION_TIMEOUT_MS = 120_000;
/** Longer than the usual 60 s of load balancers, or they reuse a connection that we are just closing. */
const KEEP_ALIVE_MS = 72_000;
const MAX_PARAM_LENGTH = 512;
const IDLE_SWEEP_MS = 50;

const CLIENT_ERROR_STATUS: Record<string, number> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** Fastify with every input bounded, and answers that nobody caches or sniffs. */
export function createHttpAdapter(metrics: Metrics, routes: RouteTable): FastifyAdapter {
  const adapter = new FastifyAdapter({
    logger: false,
    skipMiddie: true,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    return503OnClosing: false,
    genReqId: () => '',
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, new Problem('malformed_request', error.message));
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) return;
      const status = CLIENT_ERROR_STATUS[error.code ?? ''] ?? 400;
      const document = {
        ...new Problem('malformed_request', 'The request is not valid HTTP.').toDocument(),
        status,
      };
      const body = JSON.stringify(document);
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n` +
          `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    },
  });
  const fastify = adapter.getInstance();
  // Clients set a content type on requests without a body too, such as DELETE.
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parseJson(request, String(body), done);
  });
  routes.watch(fastify);
  observeRequests(fastify, metrics);
  fastify.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    done();
  });
  // A connection whose last request was under way when the listener closed would keep it open for KEEP_ALIVE_MS.
  let sweep: NodeJS.Timeout | undefined;
  fastify.addHook('preClose', (done) => {
    sweep = setInterval(() => fastify.server.closeIdleConnections(), IDLE_SWEEP_MS);
    fastify.server.once('close', () => clearInterval(sweep));
    done();
  });
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(sweep);
    done();
  });
  return adapter;
}
