import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Problem } from '@quittance/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerOptions } from 'node:http';
import type { ServiceConfig } from '../config/config.js';
import type { Metrics } from '../metrics/metrics.js';
import { ClientErrors } from './client-errors.js';
import { sendProblem } from './problem-filter.js';
import { observeRequests } from './request-observation.js';
import type { RouteTable } from './route-table.js';
import { securityHeaders } from './security-headers.js';
import type { TlsCertificate } from './tls-certificate.js';

export const MAX_BODY_BYTES = 1024 * 1024;

const MAX_HEADER_BYTES = 16 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** Node looks for requests that take too long only this often: they are cut off at most that much later. */
const LONGEST_LOOK_MS = 1000;
/** Silence on a connection; longer than any answer takes. */
const CONNECTION_TIMEOUT_MS = 120_000;
/** Longer than the usual 60 s of load balancers, or they reuse a connection that we are just closing. */
const KEEP_ALIVE_MS = 72_000;
const MAX_PARAM_LENGTH = 512;
const IDLE_SWEEP_MS = 50;

export interface HttpAdapterOptions {
  config: Pick<ServiceConfig, 'requestTimeout' | 'maxConnections' | 'trustedProxies'>;
  metrics: Metrics;
  routes: RouteTable;
  /** With it, TLS is served. */
  certificate?: TlsCertificate | undefined;
}

/** Fastify with every input bounded, and answers that nobody caches or sniffs. */
export function createHttpAdapter({
  config,
  metrics,
  routes,
  certificate,
}: HttpAdapterOptions): FastifyAdapter {
  const headers = securityHeaders(certificate !== undefined);
  const clientErrors = new ClientErrors(headers);
  const adapter = new FastifyAdapter({
    logger: false,
    skipMiddie: true,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: config.requestTimeout,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...serverOptions(config.requestTimeout, certificate),
    ...(config.trustedProxies.length > 0 && { trustProxy: config.trustedProxies }),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    return503OnClosing: false,
    genReqId: () => '',
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply.headers(headers), new Problem('malformed_request', error.message));
    },
    clientErrorHandler: (error, socket) => clientErrors.handle(error, socket),
  });
  const fastify = adapter.getInstance();
  boundConnections(fastify, config.maxConnections, metrics);
  // Clients set a content type on requests without a body too, such as DELETE.
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeContentTypeParser('application/json');
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parseJson(request, String(body), done);
  });
  routes.watch(fastify);
  observeRequests(fastify, metrics);
  fastify.decorateRequest('problem', undefined);
  fastify.addHook('onRequest', (_request, reply, done) => {
    clientErrors.requestBegan(reply);
    void reply.headers(headers);
    done();
  });
  fastify.addHook('onResponse', (_request, reply, done) => {
    clientErrors.requestEnded(reply);
    done();
  });
  closeIdleConnectionsAtEnd(fastify);
  return adapter;
}

/** Fastify takes Node's options under another name when TLS is served. */
function serverOptions(requestTimeoutMs: number, certificate: TlsCertificate | undefined) {
  const headersTimeout = Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs);
  const options: ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout,
    connectionsCheckingInterval: Math.min(LONGEST_LOOK_MS, Math.ceil(headersTimeout / 10)),
  };
  if (certificate === undefined) return { http: options };
  return { https: { ...options, ...certificate.secureContext, handshakeTimeout: headersTimeout } };
}

function boundConnections(fastify: FastifyInstance, most: number, metrics: Metrics): void {
  const dropped = metrics.counter(
    'quittance_http_dropped_connections_total',
    'Connections that were closed as they came, because there were too many.',
  );
  fastify.server.maxConnections = most;
  fastify.server.on('drop', () => dropped.inc());
}

/** A connection whose last request was under way when the listener closed would keep it open for KEEP_ALIVE_MS. */
function closeIdleConnectionsAtEnd(fastify: FastifyInstance): void {
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
}
