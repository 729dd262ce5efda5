import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, SubscriptionStates } from '@quittance/catalog';
import { encodeSubscriptionStateRemoval, Topics, type SubscriptionState } from '@quittance/contracts';
import { KafkaPublisher } from '@quittance/kafka';
import { Database } from '@quittance/persistence';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';

/** Removes what dispatchers have learnt of subscriptions that were deleted since. */
@Injectable()
export class StateRemovals {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(SubscriptionStates) private readonly states: SubscriptionStates,
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(KafkaPublisher) private readonly publisher: Pick<KafkaPublisher, 'publish'>,
    @Inject(Topics) private readonly topics: Topics,
  ) {}

  /** @throws StoreError, PublishError: to be repeated */
  async sweep(): Promise<void> {
    const orphans = Array.from(this.states.all()).filter(
      ({ namespace, subscription }) => !this.catalogue.subscription(namespace, subscription),
    );
    for (const orphan of orphans) await this.remove(orphan);
  }

  /**
   * Under the lock under which a subscription of that name would be created: its dispatcher would write to the same key,
   * and what it writes must come after this.
   */
  private remove({ namespace, subscription }: SubscriptionState): Promise<void> {
    const address = { kind: kindNamed('Subscription'), namespace, name: subscription };
    return this.database.transaction(async (manager) => {
      await this.resources.lock(manager, address);
      if (await this.resources.find(manager, address)) return;
      const topic = this.topics.subscriptionState;
      await this.publisher.publish(encodeSubscriptionStateRemoval(topic, namespace, subscription));
    });
  }
}
