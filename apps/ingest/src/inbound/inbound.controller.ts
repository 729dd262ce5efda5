import { Controller, Get, Options, Param, Post, Req, Res } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { Metrics } from '@quittance/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { InboundAnswer } from './inbound-answer.js';
import { InboundService, type SourcePath } from './inbound.service.js';

const PATHS = ['/:namespace/:source', '/:namespace/:source/:eventType'];

@Controller('/in')
export class InboundController {
  private readonly requests;

  constructor(
    private readonly inbound: InboundService,
    metrics: Metrics,
  ) {
    this.requests = metrics.counter(
      'quittance_inbound_requests_total',
      'Requests to sources, by what was answered.',
      ['method', 'result'],
    );
  }

  /** The source's answer once all in-sync replicas have the event. */
  @Post(PATHS)
  receive(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: SourcePath,
  ): Promise<void> {
    return this.answer('POST', reply, () => this.inbound.receive(request, reply, path));
  }

  @Get(PATHS)
  challenge(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: SourcePath,
  ): Promise<void> {
    return this.answer('GET', reply, () => this.inbound.answerChallenge(request, path));
  }

  @Options(PATHS)
  consent(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param() path: SourcePath,
  ): Promise<void> {
    return this.answer('OPTIONS', reply, () => this.inbound.consent(request, path));
  }

  private async answer(
    method: string,
    reply: FastifyReply,
    find: () => Promise<InboundAnswer>,
  ): Promise<void> {
    try {
      const { status, headers, body } = await find();
      this.requests.inc({ method, result: 'accepted' });
      void reply.code(status).headers(headers).send(body);
    } catch (error) {
      this.requests.inc({ method, result: error instanceof Problem ? error.code : 'internal' });
      throw error;
    }
  }
}
