import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, generateApiKey } from '@quittance/catalog';
import { Problem, type ApiKeyStatus, type ResourceView } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import { kindNamed } from '../resources/kinds.js';
import { ResourceService } from '../resources/resource.service.js';
import { rotated, type KeyCredentials } from './key-credentials.js';

/** Gives keys new credentials, with time to bring them to where the ones before are in use. */
@Injectable()
export class KeyRotation {
  constructor(
    @Inject(ResourceService) private readonly resources: ResourceService,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
  ) {}

  /**
   * @param overlapMs how long the credential before keeps working
   * @returns the key's view, with the new `key`
   * @throws Problem `not_found`, or `conflict` for a revoked key; StoreError
   */
  rotate(namespace: string, name: string, overlapMs: number, actor: string): Promise<ResourceView> {
    const address = { kind: kindNamed('ApiKey'), namespace, name };
    return this.resources.amend(address, { actor, action: 'rotate' }, (row) => {
      this.assertNotRevoked(row);
      const { key, credential } = generateApiKey();
      return {
        secrets: rotated(row.secrets as KeyCredentials, credential, overlapMs, Date.now()),
        secretsChanged: ['key'],
        shown: { key },
      };
    });
  }

  /** A revocation may be in force before the row says so. */
  private assertNotRevoked({ uid, name, status }: ResourceRow): void {
    const isRevoked =
      (status as ApiKeyStatus | null)?.revokedAt !== undefined ||
      this.catalogue.revocations().some((revocation) => revocation.uid === uid);
    if (!isRevoked) return;
    throw new Problem(
      'conflict',
      `The API key "${name}" was revoked for good. Delete it and create another one.`,
    );
  }
}
