import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestOrigin } from '../rejections/request-origin.js';

const FIRST_ERROR_STATUS = 400;

/**
 * Says of every refused request below a path who sent it, also when it was refused before a handler saw it. What is
 * accepted does not pay for it.
 * @param originOf finds the namespace, if it exists
 */
export function recogniseRefused(
  host: HttpAdapterHost,
  path: string,
  originOf: (request: FastifyRequest) => RequestOrigin | undefined | Promise<RequestOrigin | undefined>,
): void {
  const fastify = host.httpAdapter.getInstance<FastifyInstance>();
  fastify.addHook('onSend', async (request, reply) => {
    if (reply.statusCode < FIRST_ERROR_STATUS || !request.routeOptions.url?.startsWith(path)) return;
    const origin = await originOf(request);
    if (origin) request.origin = origin;
  });
}
