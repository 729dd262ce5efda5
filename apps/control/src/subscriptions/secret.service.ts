import { Inject, Injectable } from '@nestjs/common';
import { Problem, type FormerSecret } from '@quittance/contracts';
import { Database } from '@quittance/persistence';
import { kindNamed } from '../resources/kinds.js';
import type { ResourceAddress } from '../resources/resource-body.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { notFound, ResourceService } from '../resources/resource.service.js';
import type { PublicKeysAnswer, RotationAnswer, SecretAnswer } from './secret-bodies.js';
import { SigningSecrets, stillValid } from './signing-secrets.js';
import { subscriptionPartsOf } from './subscription-row.js';

/** What subscribers verify with: read, replaced, published. */
@Injectable()
export class SecretService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(ResourceService) private readonly service: ResourceService,
    @Inject(SigningSecrets) private readonly signing: SigningSecrets,
  ) {}

  /**
   * That it was read is on record before it is shown.
   * @throws Problem `not_found`; StoreError
   */
  read(namespace: string, name: string, actor: string): Promise<SecretAnswer> {
    const address = addressOf(namespace, name);
    return this.database.transaction(async (manager) => {
      const row = await this.resources.find(manager, address);
      if (!row) throw notFound(address);
      await this.resources.note(manager, { actor, action: 'read-secret', before: null, after: null }, row);
      const { secrets } = subscriptionPartsOf(row);
      return { secret: this.signing.reveal(row.uid, secrets), former: times(secrets.former, Date.now()) };
    });
  }

  /**
   * Answers once dispatchers sign with the new keys, or Kafka is known not to have them yet.
   * @param overlapMs how long the keys before sign beside them
   * @throws Problem `not_found`; StoreError
   */
  async rotate(namespace: string, name: string, overlapMs: number, actor: string): Promise<RotationAnswer> {
    const answer = Promise.withResolvers<RotationAnswer>();
    await this.service.amend(addressOf(namespace, name), { actor, action: 'rotate' }, (row) => {
      const nowMs = Date.now();
      const { spec, secrets: before } = subscriptionPartsOf(row);
      const secrets = this.signing.rotated(row.uid, before, overlapMs, nowMs);
      // Only that one is opened: a rotation is what helps when a former one cannot be.
      const publicKey = spec.signing.asymmetric ? this.signing.newestPublicKey(row.uid, secrets) : undefined;
      answer.resolve({
        secret: this.signing.reveal(row.uid, secrets),
        ...(publicKey !== undefined && { publicKey }),
        former: times(secrets.former, nowMs),
      });
      const changed = secrets.asymmetric === undefined ? ['signing'] : ['signing', 'asymmetric'];
      return { secrets, secretsChanged: changed };
    });
    return answer.promise;
  }

  /** @throws Problem `not_found`, also for a subscription that has no asymmetric keys; StoreError */
  async publicKeys(namespace: string, name: string): Promise<PublicKeysAnswer> {
    const address = addressOf(namespace, name);
    const row = await this.database.run((manager) => this.resources.find(manager, address));
    if (!row) throw notFound(address);
    const { spec, secrets } = subscriptionPartsOf(row);
    if (!spec.signing.asymmetric) {
      throw new Problem(
        'not_found',
        `The Subscription "${name}" has no public keys: it signs with its secret only. Set "spec.signing.asymmetric" to true to have some.`,
      );
    }
    return { keys: this.signing.publicKeys(row.uid, secrets, Date.now()) };
  }
}

function addressOf(namespace: string, name: string): ResourceAddress {
  return { kind: kindNamed('Subscription'), namespace, name };
}

function times(former: readonly FormerSecret[], nowMs: number): { validUntil: string }[] {
  return stillValid(former, nowMs).map(({ validUntil }) => ({ validUntil }));
}
