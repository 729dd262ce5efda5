import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import type { ApiKeyRevocation, ApiKeyStatus } from '@quittance/contracts';
import { Database, ResourceRow } from '@quittance/persistence';
import { Publication } from '../outbox/publication.js';
import { Relay } from '../outbox/relay.js';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { ResourceWriter } from '../resources/resource-writer.js';

/**
 * Brings one revocation from `config.v1` into the database, and then settles it. Each step may be repeated, by this or
 * another replica, and after a crash between any two of them.
 */
@Injectable()
export class RevocationRecorder {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(ResourceWriter) private readonly writer: ResourceWriter,
    @Inject(Relay) private readonly relay: Relay,
    @Inject(Publication) private readonly publication: Publication,
  ) {}

  /** @throws StoreError, PublishError: the revocation stands, and is to be recorded again */
  async record(revocation: ApiKeyRevocation): Promise<void> {
    await this.store(revocation);
    await this.relay.flush();
    if (this.isSettled(revocation)) {
      const { namespace, uid } = revocation;
      await this.publication.publish({ change: 'settle-revocation', namespace, uid });
    }
  }

  private store({ namespace, name, uid, revokedAt, actor }: ApiKeyRevocation): Promise<void> {
    const address = { kind: kindNamed('ApiKey'), namespace, name };
    return this.database.transaction(async (manager) => {
      await this.resources.lock(manager, address);
      const row = await this.resources.find(manager, address);
      if (row?.uid !== uid) {
        // It was deleted meanwhile, and that is on record. That it was revoked before shall be, too.
        const key = { kind: 'ApiKey', namespace, name, uid };
        if (await this.resources.isNoted(manager, 'revoke', key)) return;
        await this.resources.note(manager, { actor, action: 'revoke', before: null, after: null }, key);
        return;
      }
      const status: ApiKeyStatus = row.status ?? {};
      if (status.revokedAt !== undefined) return;
      const after = Object.assign(new ResourceRow(), row, {
        status: { ...status, revokedAt },
        updatedAt: new Date(),
      });
      await this.writer.write(manager, { actor, action: 'revoke', before: row, after });
    });
  }

  /** By what stands on `config.v1` itself: a record of the key that does not say that it is revoked must not outlive this. */
  private isSettled({ namespace, name, uid }: ApiKeyRevocation): boolean {
    const known = this.catalogue.apiKeyNamed(namespace, name);
    return known?.metadata.uid !== uid || known.status.revokedAt !== undefined;
  }
}
