import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import { createDataSource, type EntityClass, type MigrationClass, type SchemaName } from './data-source.js';
import { withStoreErrors } from './store-error.js';

export interface SchemaDefinition {
  schema: SchemaName;
  entities: readonly EntityClass[];
  migrations: readonly MigrationClass[];
  /** Tables that the service's role may only insert into and read. */
  appendOnly?: readonly string[];
  /** Tables that the role of another schema's service may read. */
  readableElsewhere?: Readonly<Partial<Record<SchemaName, readonly string[]>>>;
}

/** A number of our own in Postgres' advisory lock space: 'qtnc' in ASCII. */
export const LOCK_SPACE = 0x71746e63;
/** Second halves of the advisory locks that set-up takes. */
const SETUP_LOCK = 1;
const SETUP_POLL_MS = 200;

/**
 * Runs `work` alone among all concurrent set-ups of this database; the others wait.
 * The lock belongs to a connection of its own, so it ends with the process at the latest.
 */
export async function withSetupLock<T>(owner: DataSource, work: () => Promise<T>): Promise<T> {
  const holder = owner.createQueryRunner();
  try {
    // Asked for again and again: a statement that waits in the database is a transaction under way, and an index that
    // the other set-up builds CONCURRENTLY would wait for it in turn, for ever.
    while (!(await tryLock(holder))) await sleep(SETUP_POLL_MS);
    try {
      return await work();
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1, $2)', [LOCK_SPACE, SETUP_LOCK]);
    }
  } finally {
    await holder.release();
  }
}

async function tryLock(holder: QueryRunner): Promise<boolean> {
  const [row]: { locked: boolean }[] = await holder.query('SELECT pg_try_advisory_lock($1, $2) AS locked', [
    LOCK_SPACE,
    SETUP_LOCK,
  ]);
  return row?.locked === true;
}

/**
 * Runs what has not run yet, each migration in its own transaction. Call it under {@link withSetupLock}.
 * @param url the owner's: services have no right to change a schema
 * @returns the names of those that ran
 * @throws StoreError
 */
export async function runMigrations(url: string, definition: SchemaDefinition): Promise<string[]> {
  const owner = createDataSource({
    url,
    schema: definition.schema,
    entities: definition.entities,
    migrations: definition.migrations,
    poolSize: 2,
    applicationName: 'quittance-setup',
    // An index over a large table takes as long as it takes.
    statementTimeoutMs: 0,
    lockTimeoutMs: 30_000,
  });
  return withStoreErrors(async () => {
    await owner.initialize();
    try {
      const ran = await owner.runMigrations({ transaction: 'each' });
      return ran.map((migration) => migration.name);
    } finally {
      await owner.destroy();
    }
  });
}
