import { MAX_REJECTION_ERRORS, type Problem, type RejectedOutcome } from '@quittance/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { uuidv7 } from 'uuidv7';
import { redactText } from './redaction.js';
import type { RequestOrigin } from './request-origin.js';

const MAX_PATH_BYTES = 1024;
const MAX_REASON_BYTES = 1024;
const MAX_HEADER_BYTES = 256;
const MAX_ADDRESS_LENGTH = 64;

/** All that is said of a rejected request, but its body. */
export function rejectedOutcome(
  request: FastifyRequest,
  reply: FastifyReply,
  origin: RequestOrigin,
  problem: Problem,
): RejectedOutcome {
  const { namespace, source, apiKey, secrets } = origin;
  const options = secrets ? { secrets } : {};
  const redacted = (text: string, maxBytes: number): string => redactText(text, maxBytes, options);
  const said = (text: string): string =>
    redactText(withoutExcerpt(text), MAX_REASON_BYTES, { ...options, isProse: true });
  const errors = errorsOf(problem).map(({ path, message }) => ({
    path: redacted(path, MAX_PATH_BYTES),
    message: said(message),
  }));
  const { 'user-agent': userAgent, 'content-type': contentType } = request.headers;
  return {
    type: 'rejected',
    id: uuidv7(),
    at: Date.now(),
    namespace,
    ...(source !== undefined && { source }),
    ...(apiKey !== undefined && { apiKey }),
    method: request.method,
    path: redacted(request.url.split('?', 1)[0] ?? '', MAX_PATH_BYTES),
    status: reply.statusCode,
    code: problem.code,
    reason: said(problem.message),
    ...(errors.length > 0 && { errors }),
    address: request.ip.slice(0, MAX_ADDRESS_LENGTH),
    ...(userAgent !== undefined && { userAgent: redacted(userAgent, MAX_HEADER_BYTES) }),
    ...(contentType !== undefined && { contentType: redacted(contentType, MAX_HEADER_BYTES) }),
    ...(request.span.traceId !== '' && { traceId: request.span.traceId }),
    bodyBytes: bodyBytesOf(request, reply),
    suppressed: 0,
  };
}

/** What was read; of a body that was refused before or after it was read, what the client says or what it may have. */
function bodyBytesOf(request: FastifyRequest, reply: FastifyReply): number {
  if (Buffer.isBuffer(request.body)) return request.body.length;
  const wasRefused = reply.statusCode === 413 || reply.statusCode === 415;
  if (!wasRefused) return 0;
  const declared = Number(request.headers['content-length']);
  return Number.isSafeInteger(declared) ? declared : request.routeOptions.bodyLimit;
}

function errorsOf(problem: Problem): { path: string; message: string }[] {
  const { errors } = problem.extensions;
  return Array.isArray(errors) ? errors.filter(isViolation).slice(0, MAX_REJECTION_ERRORS) : [];
}

function isViolation(value: unknown): value is { path: string; message: string } {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'path' in value &&
    typeof value.path === 'string' &&
    'message' in value &&
    typeof value.message === 'string'
  );
}

const NOT_JSON = ' is not valid JSON';

/**
 * The JSON parser quotes what stands around a mistake: half a member's name and the beginning of its value, from which
 * nobody can tell that it is a password.
 */
function withoutExcerpt(text: string): string {
  const end = text.indexOf(NOT_JSON);
  const start = text.indexOf('"');
  if (end === -1 || start === -1 || start > end) return text;
  const before = text.slice(0, start).replace(/\.{3}$/, '');
  return `${before}the body${text.slice(end)}`;
}
