import { Inject, Injectable } from '@nestjs/common';
import { generateApiKey } from '@quittance/catalog';
import type {
  ResourceKind,
  SourceSecretsInput,
  SourceSpec,
  SubscriptionSpec,
  SubscriptionStatus,
} from '@quittance/contracts';
import type { EntityManager } from 'typeorm';
import type { KeyCredentials } from '../keys/key-credentials.js';
import { VerifierSecrets } from '../sources/verifier-secrets.js';
import { HomePartitions } from '../subscriptions/home-partitions.js';
import { SigningSecrets } from '../subscriptions/signing-secrets.js';
import { becomesStrict } from '../subscriptions/subscription-replacement.js';
import type { ResourceInput } from './resource-body.js';

/** What a resource is given when it is created. */
export interface Birth {
  status: object | null;
  secrets: object | null;
  /** Names of the secrets that the client gave. */
  secretsChanged?: readonly string[];
  /** Members of the answer that creates it, and of no other. */
  shown?: { key: string };
}

/** What has to be known of Kafka before the transaction that creates or replaces a resource begins. */
export interface BirthPreparation {
  /** `undefined` while Kafka has never been reached. */
  partitions?: number | undefined;
}

const PLAIN: Birth = { status: null, secrets: null };

/** Gives new resources what their kind needs: partitions and signing keys, a key, or what the client keeps secret. */
@Injectable()
export class Births {
  constructor(
    @Inject(HomePartitions) private readonly homes: HomePartitions,
    @Inject(SigningSecrets) private readonly signing: SigningSecrets,
    @Inject(VerifierSecrets) private readonly verifying: VerifierSecrets,
  ) {}

  /**
   * Only who needs a partition, or one of its own, waits for Kafka.
   * @param before the spec that is replaced; `undefined`: there is none
   * @throws StoreError
   */
  async prepare(kind: ResourceKind, spec: object, before: object | undefined): Promise<BirthPreparation> {
    if (kind !== 'Subscription') return {};
    const isAsked =
      before === undefined || becomesStrict(before as SubscriptionSpec, spec as SubscriptionSpec);
    return { partitions: isAsked ? await this.homes.count() : this.homes.lastKnown };
  }

  /** @throws Problem `kafka_unavailable`, `partition_shared`, `invalid_resource` */
  async of(
    kind: ResourceKind,
    uid: string,
    input: ResourceInput,
    manager: EntityManager,
    { partitions }: BirthPreparation,
  ): Promise<Birth> {
    switch (kind) {
      case 'EventType':
      case 'Namespace':
        return PLAIN;
      case 'Subscription': {
        const { signing, delivery } = input.spec as SubscriptionSpec;
        const partition = await this.homes.assign(manager, partitions, delivery.ordering === 'strict');
        const status: SubscriptionStatus = { state: 'active', partition, activation: 1 };
        return { status, secrets: this.signing.create(uid, signing) };
      }
      case 'ApiKey': {
        const { key, credential } = generateApiKey();
        const secrets: KeyCredentials = { credential, former: [] };
        return { status: null, secrets, shown: { key } };
      }
      case 'Source': {
        const { secrets, changed } = this.verifying.merge(uid, {
          spec: input.spec as SourceSpec,
          given: (input.secrets ?? {}) as SourceSecretsInput,
        });
        return { status: null, secrets, secretsChanged: changed };
      }
    }
  }
}
