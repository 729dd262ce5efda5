import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What pruning needs beyond the lists' indexes, along which it finds old events, deliveries and rejections: the rows that
 * late records leave behind, whose event is not there.
 *
 * - `events_unaccepted`: events of which only the routing is known. It has next to no entries. It must not hold
 *   `routed_at`: that column would then be indexed, and recording the routing of every event would cost entries in all
 *   indexes (no HOT update).
 * - `duplicates_oldest`: duplicates by age. Their key has no time in it.
 *
 * The tables may be large, so the indexes are built CONCURRENTLY: they are read and written meanwhile. That goes without a
 * transaction; what a build that was broken off leaves behind is dropped by the next.
 *
 * Pruned rows are dead at the old end of the indexes that pruning itself walks. Autovacuum's default, a fifth of the table,
 * would be days' worth of them.
 */
export class AddPruning implements MigrationInterface {
  readonly name = 'AddPruning1764500000001';
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // A build waits for every transaction that is under way, a backup's too, and keeps nobody waiting meanwhile.
    await runner.query(`SET lock_timeout = '5min'`);
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS audit.events_unaccepted`);
    await runner.query(`
      CREATE INDEX CONCURRENTLY events_unaccepted ON audit.events (namespace, id, source)
       WHERE accepted_at IS NULL`);
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS audit.duplicates_oldest`);
    await runner.query(`CREATE INDEX CONCURRENTLY duplicates_oldest ON audit.duplicates (namespace, at)`);
    await runner.query(`RESET lock_timeout`);
    for (const table of ['events', 'deliveries', 'attempts']) {
      await runner.query(`ALTER TABLE audit.${table} SET (autovacuum_vacuum_scale_factor = 0.02)`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['events', 'deliveries', 'attempts']) {
      await runner.query(`ALTER TABLE audit.${table} RESET (autovacuum_vacuum_scale_factor)`);
    }
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS audit.duplicates_oldest`);
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS audit.events_unaccepted`);
  }
}
