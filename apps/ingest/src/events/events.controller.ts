import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { Metrics } from '@quittance/service';
import type { FastifyRequest } from 'fastify';
import { EventsService, type AcceptedBatch, type AcceptedEvent } from './events.service.js';

const NO_BODY = Buffer.alloc(0);

@Controller('/v1/events')
export class EventsController {
  private readonly requests;

  constructor(
    private readonly events: EventsService,
    metrics: Metrics,
  ) {
    this.requests = metrics.counter(
      'quittance_publish_requests_total',
      'Requests to publish, by what was answered.',
      ['result'],
    );
  }

  /** `202` once all in-sync replicas have the events. */
  @Post()
  @HttpCode(202)
  async publish(@Req() request: FastifyRequest): Promise<AcceptedEvent | AcceptedBatch> {
    const { headers, body, span } = request;
    try {
      const accepted = await this.events.publish({
        headers,
        body: Buffer.isBuffer(body) ? body : NO_BODY,
        span,
      });
      this.requests.inc({ result: 'accepted' });
      return accepted;
    } catch (error) {
      this.requests.inc({ result: error instanceof Problem ? error.code : 'internal' });
      throw error;
    }
  }
}
