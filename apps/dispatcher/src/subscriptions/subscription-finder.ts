import { Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError, type CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord } from '@quittance/contracts';
import { NotStartedError } from '@quittance/kafka';

type Found = CompiledSubscription | undefined;

/** How often a record that is held looks whether its partition is still ours. */
const LOOK_UP_MS = 1000;

/** Finds a delivery's subscription in the catalogue as it is now. */
@Injectable()
export class SubscriptionFinder {
  /** Per partition of `deliveries.v1`: the last record that waits for the catalogue. Whoever comes after it waits behind it. */
  private readonly lines = new Map<number, Promise<unknown>>();

  constructor(private readonly catalogue: Catalogue) {}

  /**
   * Holds the delivery until the catalogue has reached the revision that it was routed with: only then does
   * "unknown" mean deleted.
   * @param partition whose records keep their order; left out where order does not matter
   * @returns `undefined` when the subscription was deleted; one made later under the same name is another
   * @throws NotStartedError when the assignment is over before that
   */
  find(delivery: DeliveryRecord, partition: number | undefined, over: AbortSignal): Found | Promise<Found> {
    const line = partition === undefined ? undefined : this.lines.get(partition);
    if (!line && this.isCurrent(delivery)) return this.look(delivery);
    const found = this.wait(delivery, line, over);
    if (partition !== undefined) {
      const end = found
        .catch(() => undefined)
        .then(() => {
          if (this.lines.get(partition) === end) this.lines.delete(partition);
        });
      this.lines.set(partition, end);
    }
    return found;
  }

  private async wait(
    delivery: DeliveryRecord,
    line: Promise<unknown> | undefined,
    over: AbortSignal,
  ): Promise<Found> {
    await line;
    while (!this.isCurrent(delivery)) {
      if (over.aborted) throw new NotStartedError('The configuration has not caught up.');
      try {
        await this.catalogue.whenAt(delivery.revision, LOOK_UP_MS);
        await this.catalogue.whenFresh(LOOK_UP_MS);
      } catch (error) {
        if (!(error instanceof CatalogueBehindError)) throw error;
      }
    }
    return this.look(delivery);
  }

  private isCurrent(delivery: DeliveryRecord): boolean {
    return this.catalogue.isAt(delivery.revision) && this.catalogue.isFresh();
  }

  private look(delivery: DeliveryRecord): Found {
    const subscription = this.catalogue.subscription(delivery.namespace, delivery.subscription);
    return subscription?.resource.metadata.uid === delivery.subscriptionUid ? subscription : undefined;
  }
}
