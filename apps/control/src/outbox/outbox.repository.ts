import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { configKey, type Resource, type ResourceKind } from '@quittance/contracts';
import { OutboxRow, type ResourceRow } from '@quittance/persistence';
import { In, IsNull, type EntityManager } from 'typeorm';

function keyOf(row: ResourceRow): string {
  return configKey(row.kind as ResourceKind, row.namespace, row.name);
}

/** Every method takes the transaction that it is part of. */
@Injectable()
export class OutboxRepository {
  async addPut(manager: EntityManager, resource: Resource): Promise<void> {
    const { kind, metadata } = resource;
    await manager.insert(OutboxRow, {
      id: randomUUID(),
      aggregatetype: kind,
      aggregateid: configKey(kind, metadata.namespace, metadata.name),
      type: 'put',
      payload: resource,
    });
  }

  async addDelete(
    manager: EntityManager,
    { kind, namespace, name }: { kind: ResourceKind; namespace: string; name: string },
  ): Promise<void> {
    await manager.insert(OutboxRow, {
      id: randomUUID(),
      aggregatetype: kind,
      aggregateid: configKey(kind, namespace, name),
      type: 'delete',
      payload: null,
    });
  }

  /** Those whose last change Kafka does not have yet. */
  async unpublishedAmong(manager: EntityManager, rows: readonly ResourceRow[]): Promise<Set<ResourceRow>> {
    if (rows.length === 0) return new Set();
    const pending = await manager.find(OutboxRow, {
      select: { aggregateid: true },
      where: { aggregateid: In(rows.map(keyOf)), publishedAt: IsNull() },
    });
    const keys = new Set(pending.map((row) => row.aggregateid));
    return new Set(rows.filter((row) => keys.has(keyOf(row))));
  }

  /** The oldest unpublished rows, in the order of their changes. */
  pending(manager: EntityManager, limit: number): Promise<OutboxRow[]> {
    return manager.find(OutboxRow, { where: { publishedAt: IsNull() }, order: { seq: 'ASC' }, take: limit });
  }

  async oldestPendingSeconds(manager: EntityManager): Promise<number> {
    const rows: { age: number }[] = await manager.query(
      `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS age
         FROM outbox WHERE published_at IS NULL`,
    );
    return rows[0]!.age;
  }

  async markPublished(manager: EntityManager, rows: readonly OutboxRow[]): Promise<void> {
    await manager.query('UPDATE outbox SET published_at = clock_timestamp() WHERE seq = ANY($1)', [
      rows.map((row) => row.seq),
    ]);
  }

  /** Has the last change of each aggregate published once more. */
  async republish(manager: EntityManager, aggregateIds: readonly string[]): Promise<void> {
    await manager.query(
      `UPDATE outbox SET published_at = NULL
        WHERE seq IN (SELECT max(seq) FROM outbox WHERE aggregateid = ANY($1) GROUP BY aggregateid)`,
      [aggregateIds],
    );
  }

  /** Deletes rows that were published longer ago than `maxAgeMs`, at most `limit` of them. */
  async prune(manager: EntityManager, maxAgeMs: number, limit: number): Promise<void> {
    await manager.query(
      `DELETE FROM outbox WHERE seq IN (
         SELECT seq FROM outbox
          WHERE published_at < clock_timestamp() - make_interval(secs => $1)
          ORDER BY published_at LIMIT $2)`,
      [maxAgeMs / 1000, limit],
    );
  }
}
