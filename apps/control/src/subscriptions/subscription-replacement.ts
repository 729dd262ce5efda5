import { Inject, Injectable } from '@nestjs/common';
import type { SubscriptionSecrets, SubscriptionSpec, SubscriptionStatus } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { activated } from './activation.js';
import { HomePartitions } from './home-partitions.js';
import { SigningSecrets } from './signing-secrets.js';
import { subscriptionPartsOf } from './subscription-row.js';

/** What follows from replacing a subscription, for its home, its activation and its secrets. */
@Injectable()
export class SubscriptionReplacement {
  constructor(
    @Inject(HomePartitions) private readonly homes: HomePartitions,
    @Inject(SigningSecrets) private readonly signing: SigningSecrets,
  ) {}

  /**
   * Home, move and activation are kept, and a key pair that is not used any more.
   * @param partitions how many there are, where that is known
   * @throws Problem `partition_shared`
   */
  async of(
    manager: EntityManager,
    row: ResourceRow,
    spec: SubscriptionSpec,
    partitions: number | undefined,
  ): Promise<{
    status: SubscriptionStatus;
    secrets: SubscriptionSecrets;
    secretsChanged: readonly string[];
  }> {
    const before = subscriptionPartsOf(row);
    if (becomesStrict(before.spec, spec)) await this.homes.assertOwn(manager, row, partitions);
    const isResumed = before.spec.paused && !spec.paused;
    const { secrets, changed } = this.signing.completed(row.uid, spec.signing, before.secrets);
    return {
      status: isResumed ? activated(before.status) : before.status,
      secrets,
      secretsChanged: changed,
    };
  }
}

/** It then needs a home that it shares with nobody. */
export function becomesStrict(before: SubscriptionSpec, spec: SubscriptionSpec): boolean {
  return spec.delivery.ordering === 'strict' && before.delivery.ordering !== 'strict';
}
