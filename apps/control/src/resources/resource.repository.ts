import { Injectable } from '@nestjs/common';
import { configKey, type ResourceKind } from '@quittance/contracts';
import { AuditLogRow, ResourceRow } from '@quittance/persistence';
import { Not, type EntityManager } from 'typeorm';
import type { ResourceAddress } from './resource-body.js';
import type { LabelRequirement } from './label-selector.js';

export interface ListQuery {
  kind: string;
  /** Left out: of all namespaces. */
  namespace?: string;
  labels: readonly LabelRequirement[];
  /** Names after this one. */
  after?: string;
  limit: number;
}

/** Every method takes the transaction that it is part of. */
@Injectable()
export class ResourceRepository {
  /** Makes writers of one resource take turns, also while it does not exist yet. Held until the transaction ends. */
  async lock(manager: EntityManager, { kind, namespace, name }: ResourceAddress): Promise<void> {
    const key = configKey(kind.kind, namespace, name);
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [key]);
  }

  find(manager: EntityManager, { kind, namespace, name }: ResourceAddress): Promise<ResourceRow | null> {
    return manager.findOneBy(ResourceRow, { kind: kind.kind, namespace, name });
  }

  async list(manager: EntityManager, query: ListQuery): Promise<ResourceRow[]> {
    const rows = manager
      .createQueryBuilder(ResourceRow, 'r')
      .where('r.kind = :kind', { kind: query.kind })
      .orderBy('r.name')
      .limit(query.limit);
    if (query.namespace !== undefined) {
      rows.andWhere('r.namespace = :namespace', { namespace: query.namespace });
    }
    if (query.after !== undefined) rows.andWhere('r.name > :after', { after: query.after });
    for (const [index, requirement] of query.labels.entries()) {
      const label = `label${index}`;
      const values = `values${index}`;
      rows.setParameter(label, requirement.label);
      switch (requirement.operator) {
        case 'exists':
          rows.andWhere(`jsonb_exists(r.labels, :${label})`);
          break;
        case 'missing':
          rows.andWhere(`NOT jsonb_exists(r.labels, :${label})`);
          break;
        case 'in':
          rows.andWhere(`r.labels->>:${label} = ANY(:${values})`, { [values]: requirement.values });
          break;
        case 'notIn':
          rows.andWhere(`(r.labels->>:${label} = ANY(:${values})) IS NOT TRUE`, {
            [values]: requirement.values,
          });
          break;
      }
    }
    return rows.getMany();
  }

  /** Whether the namespace has resources beside the one that describes it. */
  async isUsed(manager: EntityManager, namespace: string): Promise<boolean> {
    return manager.existsBy(ResourceRow, { namespace, kind: Not<ResourceKind>('Namespace') });
  }

  async nextVersion(manager: EntityManager): Promise<string> {
    const rows: { version: string }[] = await manager.query(`SELECT nextval('resource_versions') AS version`);
    return rows[0]!.version;
  }

  async save(manager: EntityManager, row: ResourceRow): Promise<void> {
    await manager.upsert(ResourceRow, row, ['kind', 'namespace', 'name']);
  }

  async remove(manager: EntityManager, { kind, namespace, name }: ResourceRow): Promise<void> {
    await manager.delete(ResourceRow, { kind, namespace, name });
  }

  async note(
    manager: EntityManager,
    entry: Pick<AuditLogRow, 'actor' | 'action' | 'before' | 'after'>,
    about: Pick<ResourceRow, 'kind' | 'namespace' | 'name' | 'uid'>,
  ): Promise<void> {
    const { kind, namespace, name, uid } = about;
    await manager.insert(AuditLogRow, { ...entry, kind, namespace, name, uid });
  }

  /** Whether this was ever done to this very resource. */
  isNoted(
    manager: EntityManager,
    action: AuditLogRow['action'],
    { kind, namespace, name, uid }: Pick<ResourceRow, 'kind' | 'namespace' | 'name' | 'uid'>,
  ): Promise<boolean> {
    return manager.existsBy(AuditLogRow, { namespace, kind, name, uid, action });
  }
}
