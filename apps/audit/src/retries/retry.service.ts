import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, type CompiledSubscription } from '@quittance/catalog';
import { encodeEvent, Problem, Topics, type EventRecord, type NamespaceSpec } from '@quittance/contracts';
import { KafkaPublisher, PublishError } from '@quittance/kafka';
import { LedgerDelivery, LedgerEvent, LOCK_SPACE, type Database } from '@quittance/persistence';
import { producerSpan } from '@quittance/telemetry';
import type { EntityManager } from 'typeorm';
import { QUERY_DATABASE } from '../databases.js';
import type { AcceptedRetry } from '../queries/views.js';

/** The catalogue as far as a retry needs it. */
export interface Subscriptions {
  readonly revision: number;
  subscription(namespace: string, name: string): Pick<CompiledSubscription, 'resource'> | undefined;
  namespace(namespace: string): Pick<NamespaceSpec, 'limits'>;
}

/** Tries a delivery again by hand: its event goes through the router once more, for its subscription only. */
@Injectable()
export class RetryService {
  constructor(
    @Inject(QUERY_DATABASE) private readonly database: Database,
    @Inject(Catalogue) private readonly subscriptions: Subscriptions,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publish'>,
    @Inject(Topics) private readonly topics: Topics,
  ) {}

  /**
   * @param by who asks: `admin`, or `api-key:<namespace>/<name>`
   * @throws Problem `not_found`, `not_retryable`, `kafka_unavailable`; StoreError
   */
  async retry(namespace: string, id: string, by: string): Promise<AcceptedRetry> {
    // Published inside the transaction: a delivery that counts as pending is certain to be on its way. Should the
    // commit fail after that, the replay takes place all the same and its outcomes record it.
    return this.database.transaction(async (manager) => {
      await lock(manager, id);
      const delivery = await manager.findOne(LedgerDelivery, { where: { id, namespace }, lock: HELD });
      if (!delivery) throw new Problem('not_found', 'The ledger knows no such delivery.');
      if (delivery.state === 'pending') {
        throw new Problem('not_retryable', 'The delivery is still pending: it is being tried by itself.');
      }
      this.requireSubscription(delivery);
      await this.publish(await eventOf(manager, delivery), delivery);
      return record(manager, id, by);
    });
  }

  private requireSubscription({ namespace, subscription, subscriptionUid }: LedgerDelivery): void {
    const present = this.subscriptions.subscription(namespace, subscription)?.resource.metadata.uid;
    if (present === subscriptionUid) return;
    throw new Problem(
      'not_retryable',
      present === undefined
        ? `The subscription "${subscription}" does not exist any more.`
        : `The subscription "${subscription}" was deleted and created anew since.`,
    );
  }

  private async publish(event: LedgerEvent, delivery: LedgerDelivery): Promise<void> {
    const topic = this.topics.events;
    const parent = event.traceparent === null ? undefined : { traceparent: event.traceparent };
    const span = producerSpan(topic, { parent });
    try {
      await this.publisher.publish(
        encodeEvent(
          topic,
          {
            ...recordOf(event),
            // The router waits until it knows the subscription as it is known here.
            revision: Math.max(Number(event.revision ?? 0), this.subscriptions.revision),
            trace: span.context,
            replay: { subscription: delivery.subscription, subscriptionUid: delivery.subscriptionUid },
          },
          this.subscriptions.namespace(delivery.namespace).limits.eventPartitions,
        ),
      );
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      span.fail(error.code, error.message);
      if (!error.retryable)
        throw new Problem('not_retryable', 'Kafka does not take the event: it is too large.');
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

/** Keeps a row from being pruned until the transaction ends, and nobody from updating it. */
const HELD = { mode: 'for_key_share' } as const;

/** Not the row: the ledger's writer must not wait while Kafka is asked. */
async function lock(manager: EntityManager, id: string): Promise<void> {
  const [row] = await manager.query<{ locked: boolean }[]>(
    'SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS locked',
    [LOCK_SPACE, `retry ${id}`],
  );
  if (!row?.locked) throw new Problem('not_retryable', 'Somebody else is retrying the delivery just now.');
}

async function eventOf(manager: EntityManager, delivery: LedgerDelivery): Promise<LedgerEvent> {
  const event = await manager
    .createQueryBuilder(LedgerEvent, 'event')
    .addSelect('event.data')
    .where({ namespace: delivery.namespace, id: delivery.eventId, source: delivery.eventSource })
    .setLock(HELD.mode)
    .getOne();
  if (event?.acceptedAt && event.type !== null) return event;
  throw new Problem('not_retryable', 'The ledger does not have the event: not yet, or not any more.');
}

function recordOf(event: LedgerEvent): Omit<EventRecord, 'revision' | 'trace' | 'replay'> {
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

/**
 * The request, and the delivery open again (kind 1: replayed). The new time follows from the failure that it
 * answers instead of this machine's clock: whatever a dispatcher reports next is then newer, skewed or not.
 */
async function record(manager: EntityManager, id: string, by: string): Promise<AcceptedRetry> {
  await manager.query(
    `INSERT INTO audit.retry_requests (delivery_id, requested_at, requested_by)
     VALUES ($1, date_trunc('milliseconds', clock_timestamp()), $2) ON CONFLICT DO NOTHING`,
    [id, by],
  );
  await manager.query(
    `UPDATE audit.deliveries
        SET latest = ((latest >> 2) + 1) * 4 + 1, next_attempt_at = NULL, error_code = NULL, error_message = NULL
      WHERE id = $1 AND state = 'dead'`,
    [id],
  );
  const { state } = await manager.findOneByOrFail(LedgerDelivery, { id });
  return { id, state };
}
