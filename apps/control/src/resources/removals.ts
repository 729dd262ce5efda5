import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import type { ResourceRow } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { ResourceRepository } from './resource.repository.js';

/** What a kind demands before a resource of it may go. */
@Injectable()
export class Removals {
  constructor(@Inject(ResourceRepository) private readonly resources: ResourceRepository) {}

  /** @throws Problem `namespace_not_empty` */
  async check(manager: EntityManager, row: ResourceRow): Promise<void> {
    if (row.kind !== 'Namespace' || !(await this.resources.isUsed(manager, row.namespace))) return;
    throw new Problem(
      'namespace_not_empty',
      `The namespace "${row.name}" still has resources. Delete them first.`,
    );
  }
}
