import { Inject, Injectable } from '@nestjs/common';
import type {
  EventTypeSpec,
  SourceSecrets,
  SourceSecretsInput,
  SourceSpec,
  SubscriptionSpec,
} from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { VerifierSecrets } from '../sources/verifier-secrets.js';
import { SubscriptionReplacement } from '../subscriptions/subscription-replacement.js';
import type { BirthPreparation } from './births.js';
import { assertCompatible } from './compatible-versions.js';
import type { ResourceInput } from './resource-body.js';

/** What changes of a resource when it is replaced, beside what the client put. */
export interface Replacement {
  status: object | null;
  secrets: object | null;
  /** Names of the secrets that the client set, that have lost their use, or that the platform made. */
  secretsChanged: readonly string[];
}

/** What a kind demands of what takes a resource's place, given what stands there. */
@Injectable()
export class Replacements {
  constructor(
    @Inject(VerifierSecrets) private readonly verifying: VerifierSecrets,
    @Inject(SubscriptionReplacement) private readonly subscriptions: SubscriptionReplacement,
  ) {}

  /** @throws Problem `incompatible_schema`, `invalid_resource`, `partition_shared` */
  async of(
    manager: EntityManager,
    before: ResourceRow,
    input: ResourceInput,
    { partitions }: BirthPreparation,
  ): Promise<Replacement> {
    const { status, secrets } = before;
    switch (before.kind) {
      case 'EventType':
        assertCompatible(before.spec as EventTypeSpec, input.spec as EventTypeSpec);
        break;
      case 'Subscription':
        return this.subscriptions.of(manager, before, input.spec as SubscriptionSpec, partitions);
      case 'Source': {
        const merged = this.verifying.merge(before.uid, {
          spec: input.spec as SourceSpec,
          given: (input.secrets ?? {}) as SourceSecretsInput,
          before: { spec: before.spec as SourceSpec, secrets: secrets as SourceSecrets },
        });
        return { status, secrets: merged.secrets, secretsChanged: merged.changed };
      }
    }
    return { status, secrets, secretsChanged: [] };
  }
}
