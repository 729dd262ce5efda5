import { SpanKind, type Attributes } from '@opentelemetry/api';
import { traceContextOf, type IncomingRecord, type TraceContext } from '@quittance/contracts';
import { startSpan, type ActiveSpan } from './span.js';

export interface ProducerSpanOptions {
  parent?: TraceContext | undefined;
  /** Further attributes, such as `messaging.message.id`; called only if the span is exported. */
  attributes?: () => Attributes;
}

/** `send <topic>`: from handing a record to Kafka until its acknowledgement. */
export function producerSpan(topic: string, options: ProducerSpanOptions = {}): ActiveSpan {
  return startSpan(`send ${topic}`, {
    kind: SpanKind.PRODUCER,
    parent: options.parent,
    attributes: () => ({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      ...options.attributes?.(),
    }),
  });
}

export interface ConsumerSpanOptions {
  group: string;
  /** Instead of the record's own context. */
  parent?: TraceContext | undefined;
  attributes?: () => Attributes;
}

/**
 * `process <topic>` for one record. It is a child of the record's producer *and* links to it: the child relation keeps
 * the event in one trace, the link is what the semantic conventions ask for.
 */
export function consumerSpan(
  record: Pick<IncomingRecord, 'topic' | 'partition' | 'offset' | 'key' | 'headers'>,
  options: ConsumerSpanOptions,
): ActiveSpan {
  const producer = options.parent ?? traceContextOf(record.headers);
  return startSpan(`process ${record.topic}`, {
    kind: SpanKind.CONSUMER,
    parent: producer,
    ...(producer ? { links: [producer] } : {}),
    attributes: () => ({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': record.topic,
      'messaging.consumer.group.name': options.group,
      'messaging.destination.partition.id': String(record.partition),
      'messaging.kafka.offset': Number(record.offset),
      ...(record.key === null ? {} : { 'messaging.kafka.message.key': record.key.toString() }),
      ...options.attributes?.(),
    }),
  });
}
