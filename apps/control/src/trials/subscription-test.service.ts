import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError } from '@quittance/catalog';
import {
  encodeEvent,
  parseDuration,
  Problem,
  Topics,
  type EventRecord,
  type SubscriptionSpec,
} from '@quittance/contracts';
import { KafkaPublisher, PublishError } from '@quittance/kafka';
import { Database } from '@quittance/persistence';
import { producerSpan, type ActiveSpan } from '@quittance/telemetry';
import { uuidv7 } from 'uuidv7';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { notFound } from '../resources/resource.service.js';
import { isSettled, LedgerWatch } from './ledger-watch.js';
import { SampleChoice, type ChosenSample } from './sample-choice.js';
import type { SubscriptionTest, SubscriptionTestResult } from './trial-bodies.js';

export interface TestOutcome {
  /** What will become of the sample's first attempt is known. */
  isSettled: boolean;
  result: SubscriptionTestResult;
}

const FRESHNESS_TIMEOUT_MS = 1500;

/** Sends one subscription a sample of an event, and tells what became of it. */
@Injectable()
export class SubscriptionTestService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(SampleChoice) private readonly samples: SampleChoice,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publish'>,
    @Inject(Topics) private readonly topics: Topics,
    @Inject(LedgerWatch) private readonly ledger: LedgerWatch,
  ) {}

  /**
   * @param span of the request that asks for it: everything that follows is in its trace
   * @throws Problem `not_found`, `no_sample`, `unknown_event_type`, `unknown_schema_version`, `schema_mismatch`,
   *   `payload_too_large`, `not_ready`, `kafka_unavailable`; StoreError
   */
  async test(
    namespace: string,
    name: string,
    asked: SubscriptionTest,
    span: ActiveSpan,
  ): Promise<TestOutcome> {
    const address = { kind: kindNamed('Subscription'), namespace, name };
    const { uid, sample } = await this.database.run(async (manager) => {
      const row = await this.resources.find(manager, address);
      if (!row) throw notFound(address);
      const spec = row.spec as SubscriptionSpec;
      return { uid: row.uid, sample: await this.samples.choose(manager, namespace, spec, asked) };
    });
    await this.assertInForce(namespace, name, uid);
    const event = eventOf(namespace, name, sample);
    await this.publish({ ...event, test: { subscription: name, subscriptionUid: uid } }, span);
    const { id, source, type } = event.attributes;
    const watched = { namespace, id, source, subscription: name };
    const known = await this.ledger.firstAttempt(watched, parseDuration(asked.wait), span);
    return {
      isSettled: isSettled(known),
      result: { event: { id, traceId: span.traceId, type }, ...known },
    };
  }

  /** The router takes a subscription that it does not know for one that was deleted. */
  private async assertInForce(namespace: string, name: string, uid: string): Promise<void> {
    try {
      if (!this.catalogue.isFresh()) await this.catalogue.whenFresh(FRESHNESS_TIMEOUT_MS);
      if (this.catalogue.subscription(namespace, name)?.resource.metadata.uid === uid) return;
    } catch (error) {
      if (!(error instanceof CatalogueBehindError)) throw error;
    }
    throw new Problem(
      'not_ready',
      'The subscription is stored, but not in force yet: Kafka does not have it, or cannot be read. Try again.',
      {},
      { 'retry-after': '2' },
    );
  }

  private async publish(event: Omit<EventRecord, 'revision' | 'trace'>, request: ActiveSpan): Promise<void> {
    const topic = this.topics.events;
    const span = producerSpan(topic, {
      parent: request.context,
      attributes: () => ({
        'messaging.message.id': event.attributes.id,
        'quittance.namespace': event.namespace,
      }),
    });
    const { eventPartitions } = this.catalogue.namespace(event.namespace).limits;
    const record = { ...event, revision: this.catalogue.revision, trace: span.context };
    try {
      await this.publisher.publish(encodeEvent(topic, record, eventPartitions));
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      span.fail(error.code, error.message);
      if (!error.retryable) throw new Problem('payload_too_large', error.message);
      throw new Problem(
        'kafka_unavailable',
        'Kafka cannot be reached; try again.',
        {},
        { 'retry-after': '2' },
      );
    } finally {
      span.end();
    }
  }
}

function eventOf(namespace: string, subscription: string, { type, version, data }: ChosenSample) {
  const now = Date.now();
  return {
    namespace,
    attributes: {
      id: uuidv7(),
      source: `/namespaces/${namespace}/subscriptions/${subscription}/test`,
      type,
      time: new Date(now).toISOString(),
      datacontenttype: 'application/json',
      extensions: version === undefined ? {} : { schemaversion: version },
    },
    data,
    acceptedAt: now,
  };
}
