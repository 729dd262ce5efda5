import { Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { encodeEvent, Problem, Topics, type OutgoingRecord } from '@quittance/contracts';
import { KafkaPublisher, PublishError } from '@quittance/kafka';
import { Metrics } from '@quittance/service';
import { producerSpan, type ActiveSpan } from '@quittance/telemetry';
import { deprecationHeaders } from './deprecation-headers.js';
import { eachOrProblem } from './event-error.js';
import { admit } from './event-gate.js';
import type { ReceivedEvent } from './received-event.js';
import { unavailable } from './unavailable.js';

/** An event that Kafka has. */
export interface AcceptedEvent {
  id: string;
  traceId: string;
}

export interface Accepted {
  /** In the order in which they were given. */
  events: AcceptedEvent[];
  /** For the answer: what the publisher should know of the types that it used. */
  headers: Record<string, string>;
}

/** What one request carries. */
export interface Publication {
  namespace: string;
  /** How the events came, for metrics; the paths of what is wrong in a batch begin with the event's index. */
  mode: 'batch' | 'structured' | 'binary' | 'plain' | 'inbound';
  events: ReceivedEvent[];
  /** The request's own span: every event is in its trace. */
  span: ActiveSpan;
}

/** Checks events and writes them to Kafka; all of them or, unless Kafka fails half-way, none. */
@Injectable()
export class EventPublisher {
  private readonly accepted;
  private readonly publishing;

  constructor(
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

  /**
   * Resolves once all in-sync replicas have the events. The catalogue must be fresh: see `FreshCatalogue`.
   * @throws Problem
   */
  async publish(publication: Publication): Promise<Accepted> {
    const { namespace, mode, events, span } = publication;
    const deprecations = eachOrProblem(events, mode === 'batch', (event) =>
      admit(this.catalogue, namespace, event),
    );
    await this.write(publication);
    this.accepted.inc({ mode }, events.length);
    return {
      events: events.map(({ attributes }) => ({ id: attributes.id, traceId: span.traceId })),
      headers: deprecationHeaders(deprecations.flat()),
    };
  }

  private async write({ namespace, events, span: request }: Publication): Promise<void> {
    const { revision } = this.catalogue;
    const { eventPartitions } = this.catalogue.namespace(namespace).limits;
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
      const record = { namespace, attributes, data, revision, acceptedAt, trace: span.context };
      records.push(encodeEvent(topic, record, eventPartitions));
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
  }
}

function toProblem(error: PublishError): Problem {
  if (error.code === 'record_too_large') return new Problem('payload_too_large', error.message);
  return unavailable(
    'kafka_unavailable',
    'Kafka did not acknowledge the request. Repeat it with the same ids: what was written already is not delivered twice.',
  );
}
