import { Problem } from '@quittance/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/**
 * Hands over every body as the bytes that were received, whatever their content type: data is passed on untouched, and
 * signatures depend on it.
 */
export function acceptRawBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      done(new Problem('unsupported_media_type', 'Send the body without a content encoding.'));
      return;
    }
    done(null, body);
  });
}

const NO_BODY = Buffer.alloc(0);

/** The bytes of a request's body; none: an empty buffer. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NO_BODY;
}
