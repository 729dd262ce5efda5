import { Inject, Injectable } from '@nestjs/common';
import { Problem, type ResourceView } from '@quittance/contracts';
import { uuidv7 } from 'uuidv7';
import { kindNamed } from '../resources/kinds.js';
import type { ResourceAddress } from '../resources/resource-body.js';
import { ResourceService } from '../resources/resource.service.js';
import { activated } from './activation.js';
import { HomePartitions } from './home-partitions.js';
import { subscriptionPartsOf } from './subscription-row.js';

/** What operators do with a subscription. Each answers once it is in force, or says in `status` that it is not yet so. */
@Injectable()
export class SubscriptionActions {
  constructor(
    @Inject(ResourceService) private readonly resources: ResourceService,
    @Inject(HomePartitions) private readonly homes: HomePartitions,
  ) {}

  /**
   * Nothing is sent any more. Pausing what is paused changes nothing.
   * @throws Problem `not_found`; StoreError
   */
  pause(namespace: string, name: string, actor: string): Promise<ResourceView> {
    return this.resources.amend(addressOf(namespace, name), { actor, action: 'pause' }, (row) => {
      const { spec } = subscriptionPartsOf(row);
      return spec.paused ? undefined : { spec: { ...spec, paused: true } };
    });
  }

  /**
   * Sends again, whatever had stopped it. Repeating it does no harm.
   * @param skip the delivery to give up, with strict order
   * @throws Problem `not_found`, `malformed_request`; StoreError
   */
  resume(namespace: string, name: string, skip: string | undefined, actor: string): Promise<ResourceView> {
    return this.resources.amend(addressOf(namespace, name), { actor, action: 'resume' }, (row) => {
      const { spec, status } = subscriptionPartsOf(row);
      if (skip !== undefined && spec.delivery.ordering !== 'strict') throw nothingToSkip();
      return {
        ...(spec.paused && { spec: { ...spec, paused: false } }),
        status: { ...activated(status), ...(skip !== undefined && { skip }) },
      };
    });
  }

  /**
   * Gives it another home. What stands in the one before is dealt with in the background, while `status.move` is there.
   * @param partition left out: one that nobody uses
   * @throws Problem `not_found`, `not_movable`, `partition_shared`, `invalid_resource`, `kafka_unavailable`; StoreError
   */
  async move(
    namespace: string,
    name: string,
    partition: number | undefined,
    actor: string,
  ): Promise<ResourceView> {
    const partitions = await this.homes.count(partition);
    return this.resources.amend(
      addressOf(namespace, name),
      { actor, action: 'move' },
      async (row, manager) => {
        const target = await this.homes.assignNext(manager, row, partitions, partition);
        const { status } = subscriptionPartsOf(row);
        const move = { id: uuidv7(), from: status.partition, startedAt: Date.now() };
        return { status: { ...status, partition: target, move } };
      },
    );
  }
}

function addressOf(namespace: string, name: string): ResourceAddress {
  return { kind: kindNamed('Subscription'), namespace, name };
}

function nothingToSkip(): Problem {
  const message =
    'only a subscription with "delivery.ordering": "strict" stands still at a delivery. Leave "skip" out.';
  return new Problem('malformed_request', `/skip: ${message}`, { errors: [{ path: '/skip', message }] });
}
