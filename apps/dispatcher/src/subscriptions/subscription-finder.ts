import { Injectable } from '@nestjs/common';
import { Catalogue, CatalogueBehindError, type CompiledSubscription } from '@quittance/catalog';
import type { DeliveryRecord } from '@quittance/contracts';
import { NotStartedError } from '@quittance/kafka';
import { CatalogueLine } from './catalogue-line.js';

/** `unreadable`: its record cannot be read, as when a newer version wrote it. That it is deleted is not said by that. */
export type Missing = 'deleted' | 'unreadable';

type Found = CompiledSubscription | Missing;

/** How often a record that is held looks whether its partition is still ours. */
const LOOK_UP_MS = 1000;

/** Finds a delivery's subscription in the catalogue as it is now. */
@Injectable()
export class SubscriptionFinder {
  /** By `RecordContext.over`: whoever comes while there is one waits in it. */
  private readonly lines = new WeakMap<AbortSignal, CatalogueLine>();

  constructor(private readonly catalogue: Catalogue) {}

  /**
   * Holds the delivery until the catalogue has reached the revision that it was routed with: only then does
   * "unknown" mean deleted.
   * @param over of the assignment that the record was read under
   * @param place the record's offset, by which those of one assignment go on; left out where order does not matter
   * @returns `deleted` also when there is another one under the same name by now
   * @throws NotStartedError when the assignment is over before that
   */
  find(delivery: DeliveryRecord, over: AbortSignal, place?: bigint): Found | Promise<Found> {
    const line = place === undefined ? undefined : this.lines.get(over);
    if (!line && this.isAt(delivery.revision)) return this.look(delivery);
    if (place === undefined) return this.findLater(delivery, over);
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const release = (): Promise<unknown> => {
      resolve(this.look(delivery));
      return promise;
    };
    (line ?? this.open(over)).join({ place, revision: delivery.revision, release, refuse: reject });
    return promise;
  }

  private open(over: AbortSignal): CatalogueLine {
    const line = new CatalogueLine(
      (revision) => this.isAt(revision),
      (revision) => this.whenAt(revision, over),
      () => this.lines.delete(over),
    );
    this.lines.set(over, line);
    return line;
  }

  private async findLater(delivery: DeliveryRecord, over: AbortSignal): Promise<Found> {
    while (!this.isAt(delivery.revision)) await this.whenAt(delivery.revision, over);
    return this.look(delivery);
  }

  private isAt(revision: number): boolean {
    return this.catalogue.isAt(revision) && this.catalogue.isFresh();
  }

  /** Resolves, at the latest after a while, when it may be so. */
  private async whenAt(revision: number, over: AbortSignal): Promise<void> {
    if (over.aborted) throw new NotStartedError('The configuration has not caught up.');
    try {
      await this.catalogue.whenAt(revision, LOOK_UP_MS);
      await this.catalogue.whenFresh(LOOK_UP_MS);
    } catch (error) {
      if (!(error instanceof CatalogueBehindError)) throw error;
    }
  }

  private look(delivery: DeliveryRecord): Found {
    const subscription = this.catalogue.subscription(delivery.namespace, delivery.subscription);
    if (subscription?.resource.metadata.uid === delivery.subscriptionUid) return subscription;
    return this.catalogue.isSubscriptionReadable(delivery.namespace, delivery.subscription)
      ? 'deleted'
      : 'unreadable';
  }
}
