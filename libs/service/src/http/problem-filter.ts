import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { Problem, type ProblemCode } from '@quittance/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { RouteTable } from './route-table.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What it was refused with; set as soon as that is known. */
    problem: Problem | undefined;
  }
}

const CODE_OF_STATUS: Record<number, ProblemCode> = {
  401: 'unauthenticated',
  403: 'forbidden',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** Answers every error as an RFC 9457 problem document. What is no `Problem` is our fault: logged once, answered 500. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteTable,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) return;
    sendProblem(reply, this.toProblem(exception, request));
  }

  private toProblem(exception: unknown, request: FastifyRequest): Problem {
    // Whatever else is wrong with the request: nobody is there to take it.
    if (request.is404) return this.ofUnknown(request);
    if (exception instanceof Problem) return exception;
    if (exception instanceof HttpException && exception.getStatus() < 500) {
      return ofHttp(exception);
    }
    if (request.raw.destroyed && !request.raw.complete) {
      return new Problem('malformed_request', 'The connection ended before the whole body had arrived.');
    }
    const traceId = request.span?.traceId;
    request.span?.fail('internal', exception instanceof Error ? exception.message : undefined);
    this.logger.error(
      { err: exception, trace_id: traceId, method: request.method, route: request.routeOptions.url },
      'A request failed for a reason that nobody foresaw.',
    );
    return new Problem(
      'internal',
      'The request could not be handled. Repeat it; if that does not help, tell whoever runs this installation the trace id.',
      traceId === undefined ? {} : { traceId },
    );
  }

  private ofUnknown(request: FastifyRequest): Problem {
    const methods = this.routes.methodsOf(request.url);
    if (methods.length === 0) return new Problem('not_found', 'There is nothing at this address.');
    const allow = methods.join(', ');
    return new Problem('method_not_allowed', `This address answers to ${allow}.`, {}, { allow });
  }
}

function ofHttp(exception: HttpException): Problem {
  const code = CODE_OF_STATUS[exception.getStatus()] ?? 'malformed_request';
  if (code === 'payload_too_large') return new Problem(code, 'The body is larger than this address accepts.');
  return new Problem(code, exception.message);
}

/** Sent as bytes: to a string Fastify would add a charset, which JSON media types do not have. */
export function sendProblem(reply: FastifyReply, problem: Problem): void {
  reply.request.problem = problem;
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify(problem.toDocument())));
}
