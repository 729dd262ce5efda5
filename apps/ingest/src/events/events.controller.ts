import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { Metrics } from '@quittance/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AcceptedEvent } from '../publishing/event-publisher.js';
import { EventsService, type AcceptedBatch } from './events.service.js';

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
  async publish(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AcceptedEvent | AcceptedBatch> {
    try {
      const accepted = await this.events.publish(request, reply);
      this.requests.inc({ result: 'accepted' });
      return accepted;
    } catch (error) {
      this.requests.inc({ result: error instanceof Problem ? error.code : 'internal' });
      throw error;
    }
  }
}
