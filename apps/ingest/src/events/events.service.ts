import { Inject, Injectable } from '@nestjs/common';
import { authenticate, Catalogue, CatalogueBehindError, type Principal } from '@quittance/catalog';
import { encodeEvent, Problem, Topics, type OutgoingRecord } from '@quittance/contracts';
import { KafkaPublisher, PublishError } from '@quittance/kafka';
import { Metrics } from '@quittance/service';
import { producerSpan, type ActiveSpan } from '@quittance/telemetry';
import type { IncomingHttpHeaders } from 'node:http';
import { INGEST_CONFIG, type IngestConfig } from '../config.js';
import { contentModeOf, readEvents, type ContentMode } from './content-mode.js';
import { eachOrProblem } from './event-error.js';
import { assertAllowed } from './event-gate.js';
import { namespaceOf, readingContext } from './publisher-identity.js';
import type { ReceivedEvent } from './received-event.js';

/** An event that Kafka has. */
export interface AcceptedEvent {
  id: string;
  traceId: string;
}
export interface AcceptedBatch {
  events: AcceptedEvent[];
}

export interface PublishRequest {
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** The request's own span: every event is in its trace. */
  span: ActiveSpan;
}

/** Together with the publisher's deadline of 3 s, the answer comes within 5 s. */
const FRESHNESS_TIMEOUT_MS = 1500;
const RETRY_AFTER_SECONDS = '5';

/** Authenticates, reads, checks and publishes what one request carries; all of it or, unless Kafka fails half-way, nothing. */
@Injectable()
export class EventsService {
  private readonly accepted;
  private readonly publishing;

  constructor(
    @Inject(INGEST_CONFIG) private readonly config: IngestConfig,
    private readonly catalogue: Catalogue,
    private readonly publisher: KafkaPublisher,
    private readonly topics: Topics,
    metrics: Metrics,
  ) {
    this.accepted = metrics.counter('quittance_events_accepted_total', 'Events that Kafka acknowledged.', [
      'mode',
    ]);
    this.publishing = metrics
      .histogram(
        'messaging_client_operation_duration_seconds',
        'Time until Kafka acknowledged the records of one request.',
        ['messaging_operation_name', 'messaging_destination_name'],
      )
      .labels('send', topics.events);
  }

  /** @throws Problem */
  async publish(request: PublishRequest): Promise<AcceptedEvent | AcceptedBatch> {
    const { headers, body } = request;
    const principal = await this.authenticated(headers);
    const namespace = namespaceOf(principal, headers);
    const mode = contentModeOf(headers);
    const events = readEvents(mode, headers, body, readingContext(namespace, mode, headers));
    eachOrProblem(events, mode === 'batch', (event) => assertAllowed(this.catalogue, namespace, event));
    return this.send(namespace, mode, events, request.span);
  }

  private async send(
    namespace: string,
    mode: ContentMode,
    events: ReceivedEvent[],
    request: ActiveSpan,
  ): Promise<AcceptedEvent | AcceptedBatch> {
    const { revision } = this.catalogue;
    const acceptedAt = Date.now();
    const topic = this.topics.events;
    const spans: ActiveSpan[] = [];
    const records: OutgoingRecord[] = [];
    for (const { attributes, data } of events) {
      const span = producerSpan(topic, {
        parent: request.context,
        attributes: () => ({ 'messaging.message.id': attributes.id, 'quittance.namespace': namespace }),
      });
      spans.push(span);
      records.push(
        encodeEvent(topic, { namespace, attributes, data, revision, acceptedAt, trace: span.context }),
      );
    }
    const began = performance.now();
    try {
      if (records.length === 1) await this.publisher.publish(records[0]!);
      else await this.publisher.publishAll(records);
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      for (const span of spans) span.fail(error.code);
      throw toProblem(error);
    } finally {
      for (const span of spans) span.end();
    }
    this.publishing.observe((performance.now() - began) / 1000);
    this.accepted.inc({ mode }, events.length);
    const accepted = events.map(({ attributes }) => ({ id: attributes.id, traceId: request.traceId }));
    return mode === 'batch' ? { events: accepted } : accepted[0]!;
  }

  /** Whoever publishes after a change was answered, is treated by that change: so nothing is decided on an old catalogue. */
  private async authenticated(headers: IncomingHttpHeaders): Promise<Principal> {
    const { catalogue } = this;
    try {
      if (!catalogue.isFresh()) await catalogue.whenFresh(FRESHNESS_TIMEOUT_MS);
      if (!catalogue.ready) throw unavailable('not_ready', 'The service has not read its configuration yet.');
      return await authenticate(catalogue, this.config.adminKey, headers);
    } catch (error) {
      if (!(error instanceof CatalogueBehindError)) throw error;
      throw unavailable(
        'kafka_unavailable',
        'The configuration cannot be confirmed, because Kafka does not answer.',
      );
    }
  }
}

function toProblem(error: PublishError): Problem {
  if (error.code === 'record_too_large') return new Problem('payload_too_large', error.message);
  return unavailable(
    'kafka_unavailable',
    'Kafka did not acknowledge the request. Repeat it with the same ids: what was written already is not delivered twice.',
  );
}

function unavailable(code: 'kafka_unavailable' | 'not_ready', detail: string): Problem {
  return new Problem(code, detail, {}, { 'retry-after': RETRY_AFTER_SECONDS });
}
