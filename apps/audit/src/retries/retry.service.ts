import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Problem } from '@quittance/contracts';
import { PublishError } from '@quittance/kafka';
import { LedgerDelivery, LedgerEvent, LOCK_SPACE, type Database } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { QUERY_DATABASE } from '../databases.js';
import type { AcceptedRetry } from '../queries/views.js';
import { EventReplay } from '../replays/event-replay.js';
import { reopen } from '../replays/reopening.js';

/** The catalogue as far as a retry needs it. */
type Subscriptions = Pick<Catalogue, 'subscription'>;

/** Tries a delivery again by hand: its event goes through the router once more, for its subscription only. */
@Injectable()
export class RetryService {
  constructor(
    @Inject(QUERY_DATABASE) private readonly database: Database,
    @Inject(Catalogue) private readonly subscriptions: Subscriptions,
    @Inject(EventReplay) private readonly events: EventReplay,
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
      return record(manager, delivery, by);
    });
  }

  private requireSubscription({ id, namespace, subscription, subscriptionUid }: LedgerDelivery): void {
    const present = this.subscriptions.subscription(namespace, subscription)?.resource;
    if (present === undefined) {
      throw new Problem('not_retryable', `The subscription "${subscription}" does not exist any more.`);
    }
    if (present.metadata.uid !== subscriptionUid) {
      const message = `The subscription "${subscription}" was deleted and created anew since.`;
      throw new Problem('not_retryable', message);
    }
    if (present.status.skip !== id) return;
    throw new Problem(
      'not_retryable',
      `The delivery was given up when the subscription "${subscription}" was last resumed, and would be again. ` +
        'Resume the subscription once more, without "skip", then ask again.',
    );
  }

  private async publish(
    event: LedgerEvent,
    { subscription, subscriptionUid }: LedgerDelivery,
  ): Promise<void> {
    try {
      await this.events.send([event], { subscription, subscriptionUid });
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      if (!error.retryable)
        throw new Problem('not_retryable', 'Kafka does not take the event: it is too large.');
      throw new Problem(
        'kafka_unavailable',
        'Kafka cannot be reached; try again.',
        {},
        { 'retry-after': '2' },
      );
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

/** The request, and the delivery open again. */
async function record(manager: EntityManager, delivery: LedgerDelivery, by: string): Promise<AcceptedRetry> {
  const { id } = delivery;
  await manager.query(
    `INSERT INTO audit.retry_requests (delivery_id, requested_at, requested_by)
     VALUES ($1, date_trunc('milliseconds', clock_timestamp()), $2) ON CONFLICT DO NOTHING`,
    [id, by],
  );
  await reopen(manager, [delivery]);
  const { state } = await manager.findOneByOrFail(LedgerDelivery, { id });
  return { id, state };
}
