import { Inject, Injectable } from '@nestjs/common';
import type { AuditLogRow, ResourceRow } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { pauseTimed } from '../subscriptions/pause-time.js';
import { ResourceRepository } from './resource.repository.js';
import { auditViewOf, resourceOf } from './resource-view.js';

/** A row that is to be stored, and who has it so. */
export interface ResourceChange {
  actor: string;
  action: AuditLogRow['action'];
  before: ResourceRow | null;
  after: ResourceRow;
  /** Names of the secrets that were set or dropped; the audit log says which, not what they are. */
  secretsChanged?: readonly string[];
}

/** The one way in which a resource changes: its row, the audit log and the outbox, in the caller's transaction. */
@Injectable()
export class ResourceWriter {
  constructor(
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(OutboxRepository) private readonly outbox: OutboxRepository,
  ) {}

  /** Gives `after` its `resourceVersion`, and what follows from the change by itself. The caller holds the resource's lock. */
  async write(manager: EntityManager, change: ResourceChange): Promise<void> {
    const { actor, action, before, after, secretsChanged } = change;
    if (after.kind === 'Subscription') after.status = pauseTimed(before, after);
    after.resourceVersion = await this.resources.nextVersion(manager);
    await this.resources.save(manager, after);
    await this.resources.note(
      manager,
      { actor, action, before: before && auditViewOf(before), after: auditViewOf(after, secretsChanged) },
      after,
    );
    await this.outbox.addPut(manager, resourceOf(after));
  }

  /** Deletes it. The caller holds the resource's lock. */
  async remove(manager: EntityManager, row: ResourceRow, actor: string): Promise<void> {
    await this.resources.remove(manager, row);
    await this.resources.note(
      manager,
      { actor, action: 'delete', before: auditViewOf(row), after: null },
      row,
    );
    const { kind, metadata } = resourceOf(row);
    await this.outbox.addDelete(manager, { kind, namespace: metadata.namespace, name: metadata.name });
  }
}
