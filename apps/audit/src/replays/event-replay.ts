import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import {
  encodeEvent,
  Topics,
  type EventRecord,
  type EventTarget,
  type NamespaceSpec,
  type ReplayTarget,
} from '@quittance/contracts';
import { KafkaPublisher, PublishError } from '@quittance/kafka';
import type { LedgerEvent } from '@quittance/persistence';
import { producerSpan } from '@quittance/telemetry';

/** The catalogue as far as a replay needs it. */
export interface ReplayCatalogue {
  readonly revision: number;
  namespace(namespace: string): Pick<NamespaceSpec, 'limits'>;
}

/** Sends events of the ledger through the router once more, each for one subscription only. */
@Injectable()
export class EventReplay {
  constructor(
    @Inject(Catalogue) private readonly catalogue: ReplayCatalogue,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publishAll'>,
    @Inject(Topics) private readonly topics: Topics,
  ) {}

  /**
   * Written in the order given.
   * @param events with their data
   * @throws PublishError
   */
  async send(events: readonly LedgerEvent[], replay: ReplayTarget): Promise<void> {
    const topic = this.topics.events;
    const spans = events.map(({ traceparent }) =>
      producerSpan(topic, { parent: traceparent === null ? undefined : { traceparent } }),
    );
    const records = events.map((event, index) =>
      encodeEvent(
        topic,
        {
          ...recordOf(event),
          // The router waits until it knows the subscription as it is known here. The event's own revision may be one
          // that no catalogue reaches any more: the ledger outlives a Kafka that had to be built anew.
          revision: this.catalogue.revision,
          trace: spans[index]!.context,
          replay,
          // The router marks what it renders of it, as it did the first time.
          ...(event.testSubscriptionUid !== null && { test: sampleFor(replay) }),
        },
        this.catalogue.namespace(event.namespace).limits.eventPartitions,
      ),
    );
    try {
      await this.publisher.publishAll(records);
    } catch (error) {
      if (error instanceof PublishError) for (const span of spans) span.fail(error.code, error.message);
      throw error;
    } finally {
      for (const span of spans) span.end();
    }
  }
}

function sampleFor({ subscription, subscriptionUid }: ReplayTarget): EventTarget {
  return { subscription, subscriptionUid };
}

function recordOf(event: LedgerEvent): Omit<EventRecord, 'revision' | 'trace' | 'replay' | 'test'> {
  return {
    namespace: event.namespace,
    attributes: {
      id: event.id,
      source: event.source,
      type: event.type ?? '',
      ...(event.time !== null && { time: event.time }),
      ...(event.subject !== null && { subject: event.subject }),
      ...(event.dataSchema !== null && { dataschema: event.dataSchema }),
      ...(event.contentType !== null && { datacontenttype: event.contentType }),
      extensions: event.extensions ?? {},
    },
    data: event.data ?? null,
    acceptedAt: event.acceptedAt?.getTime() ?? 0,
  };
}
