import { Inject, Injectable } from '@nestjs/common';
import { authenticate } from '@quittance/catalog';
import { KeyUsage } from '@quittance/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { INGEST_CONFIG, type IngestConfig } from '../config.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { assertBodyFits } from '../publishing/body-size.js';
import { EventPublisher, type AcceptedEvent } from '../publishing/event-publisher.js';
import { FreshCatalogue } from '../publishing/fresh-catalogue.js';
import { bodyOf } from '../raw-body.js';
import { contentModeOf, readEvents } from './content-mode.js';
import { namespaceOf, readingContext } from './publisher-identity.js';

export interface AcceptedBatch {
  events: AcceptedEvent[];
}

/** Authenticates, reads, checks and publishes what one request carries; all of it or, unless Kafka fails half-way, nothing. */
@Injectable()
export class EventsService {
  constructor(
    @Inject(INGEST_CONFIG) private readonly config: IngestConfig,
    private readonly fresh: FreshCatalogue,
    private readonly keyUsage: KeyUsage,
    private readonly limiter: RateLimiter,
    private readonly publisher: EventPublisher,
  ) {}

  /**
   * @returns what is answered; headers are set on the reply
   * @throws Problem
   */
  async publish(request: FastifyRequest, reply: FastifyReply): Promise<AcceptedEvent | AcceptedBatch> {
    const { headers, span } = request;
    const body = bodyOf(request);
    const { principal, namespace, limits } = await this.fresh.use(async (catalogue) => {
      const principal = await authenticate(catalogue, this.config.adminKey, headers);
      this.keyUsage.note(principal);
      const namespace = namespaceOf(principal, headers);
      return { principal, namespace, limits: catalogue.namespace(namespace).limits };
    });
    assertBodyFits(limits, body);
    const mode = contentModeOf(headers);
    const events = readEvents(mode, headers, body, readingContext(namespace, mode, headers));
    this.limiter.charge(namespace, { apiKey: principal.apiKey }, events.length, reply);
    const accepted = await this.publisher.publish({ namespace, mode, events, span });
    void reply.headers(accepted.headers);
    return mode === 'batch' ? { events: accepted.events } : accepted.events[0]!;
  }
}
