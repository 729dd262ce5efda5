import { Injectable } from '@nestjs/common';
import { Catalogue, type CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord } from '@quittance/contracts';

/** How long a record is held before its handler fails and is tried again: long enough to be rare in the log. */
const CATALOGUE_WAIT_MS = 10_000;

/** Finds a delivery's subscription in the catalogue as it is now. */
@Injectable()
export class SubscriptionFinder {
  constructor(private readonly catalogue: Catalogue) {}

  /**
   * Holds the delivery until the catalogue has reached the revision that it was routed with: only then does
   * "unknown" mean deleted.
   * @returns `undefined` when the subscription was deleted; one made later under the same name is another
   * @throws CatalogueBehindError retryable
   */
  async find(delivery: DeliveryRecord): Promise<CompiledSubscription | undefined> {
    if (!this.catalogue.isAt(delivery.revision)) {
      await this.catalogue.whenAt(delivery.revision, CATALOGUE_WAIT_MS);
    }
    if (!this.catalogue.isFresh()) await this.catalogue.whenFresh(CATALOGUE_WAIT_MS);
    const subscription = this.catalogue.subscription(delivery.namespace, delivery.subscription);
    return subscription?.resource.metadata.uid === delivery.subscriptionUid ? subscription : undefined;
  }
}
