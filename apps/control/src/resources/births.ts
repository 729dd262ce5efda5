import { Inject, Injectable } from '@nestjs/common';
import { generateApiKey } from '@quittance/catalog';
import type { ResourceKind } from '@quittance/contracts';
import type { EntityManager } from 'typeorm';
import { HomePartitions } from '../subscriptions/home-partitions.js';
import { SigningSecrets } from '../subscriptions/signing-secrets.js';

/** What a resource is given once, when it is created, and keeps until it is deleted. */
export interface Birth {
  status: object | null;
  secrets: object | null;
  /** Members of the answer that creates it, and of no other. */
  shown?: { key: string };
}

/** What has to be known of Kafka before the transaction that creates a resource begins. */
export interface BirthPreparation {
  /** `undefined` while Kafka has never been reached. */
  partitions?: number | undefined;
}

const PLAIN: Birth = { status: null, secrets: null };

/** Gives new resources what their kind needs: partitions and signing keys, or a key. */
@Injectable()
export class Births {
  constructor(
    @Inject(HomePartitions) private readonly homes: HomePartitions,
    @Inject(SigningSecrets) private readonly secrets: SigningSecrets,
  ) {}

  async prepare(kind: ResourceKind): Promise<BirthPreparation> {
    return kind === 'Subscription' ? { partitions: await this.homes.count() } : {};
  }

  /** @throws Problem `kafka_unavailable` */
  async of(
    kind: ResourceKind,
    uid: string,
    manager: EntityManager,
    { partitions }: BirthPreparation,
  ): Promise<Birth> {
    switch (kind) {
      case 'EventType':
      case 'Source':
      case 'Namespace':
        return PLAIN;
      case 'Subscription':
        return {
          status: { state: 'active', partition: await this.homes.assign(manager, partitions) },
          secrets: this.secrets.create(uid),
        };
      case 'ApiKey': {
        const { key, credential } = generateApiKey();
        return { status: null, secrets: credential, shown: { key } };
      }
    }
  }
}
