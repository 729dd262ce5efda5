import { Controller, Get, Headers, Inject, Param } from '@nestjs/common';
import type { SubscriptionSecrets } from '@quittance/contracts';
import { Database } from '@quittance/persistence';
import { Access } from '@quittance/service';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import { notFound } from '../resources/resource.service.js';
import { SigningSecrets } from './signing-secrets.js';

@Controller('control/v1/namespaces/:namespace/subscriptions/:name/secret')
export class SecretController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(SigningSecrets) private readonly secrets: SigningSecrets,
    @Inject(Access) private readonly access: Access,
  ) {}

  /** The secret that the subscriber verifies with. That it was read is on record before it is shown. */
  @Get()
  async read(
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Headers('authorization') authorization: string | undefined,
  ): Promise<{ secret: string }> {
    const actor = await this.access.require(authorization, namespace, 'manage');
    const address = { kind: kindNamed('Subscription'), namespace, name };
    return this.database.transaction(async (manager) => {
      const row = await this.resources.find(manager, address);
      if (!row) throw notFound(address);
      await this.resources.note(manager, { actor, action: 'read-secret', before: null, after: null }, row);
      return { secret: this.secrets.reveal(row.uid, row.secrets as SubscriptionSecrets) };
    });
  }
}
