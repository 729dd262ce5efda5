import { DataSource, type MigrationInterface } from 'typeorm';

/** Each schema has its own tables, its own migrations and its own least-privilege role. */
export type SchemaName = 'control' | 'audit';

/** Entities and migrations are listed by class: globs do not survive bundling. */
export type EntityClass = new () => object;
export type MigrationClass = new () => MigrationInterface;

export interface DataSourceSettings {
  /** `postgres://role:password@host:port/database`. */
  url: string;
  /** Entities live in it, and raw SQL finds its tables without a prefix (`search_path`). */
  schema: SchemaName;
  entities: readonly EntityClass[];
  /** Only needed by who runs or counts migrations. */
  migrations?: readonly MigrationClass[];
  /** Connections at most. Default 10. */
  poolSize?: number;
  /** Shown in `pg_stat_activity`. Default `quittance-<schema>`. */
  applicationName?: string;
  /** After it the server ends a statement, in milliseconds; 0 = never. Default 10,000. */
  statementTimeoutMs?: number;
  /** After it the server gives up waiting for a lock, in milliseconds. Default 5,000. */
  lockTimeoutMs?: number;
}

/** The table, in each schema, that remembers which migrations ran. */
export const MIGRATIONS_TABLE = 'migrations';

const CONNECT_TIMEOUT_MS = 5_000;
/** A transaction that waits for its client: long enough for an acknowledgement of Kafka, short enough for a dead client. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
/** What the client adds to the server's own timeout before it takes the connection for dead. */
const NETWORK_GRACE_MS = 5_000;

/** A TypeORM data source that never changes the schema by itself. Not yet connected: see {@link Database}. */
export function createDataSource(settings: DataSourceSettings): DataSource {
  const statementTimeoutMs = settings.statementTimeoutMs ?? 10_000;
  return new DataSource({
    type: 'postgres',
    url: settings.url,
    schema: settings.schema,
    entities: [...settings.entities],
    migrations: [...(settings.migrations ?? [])],
    migrationsTableName: MIGRATIONS_TABLE,
    synchronize: false,
    migrationsRun: false,
    dropSchema: false,
    // Extensions need a superuser; nothing here uses one.
    installExtensions: false,
    logging: false,
    poolSize: settings.poolSize ?? 10,
    applicationName: settings.applicationName ?? `quittance-${settings.schema}`,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    // The pool has already dropped the connection; whoever queries next sees a typed error.
    poolErrorHandler: () => undefined,
    extra: {
      keepAlive: true,
      // A committed offset or an answered PUT relies on the commit before it: also on a server that is set up to
      // acknowledge commits before they are written.
      options: `-c search_path=${settings.schema} -c synchronous_commit=on`,
      lock_timeout: settings.lockTimeoutMs ?? 5_000,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
      ...(statementTimeoutMs > 0 && {
        statement_timeout: statementTimeoutMs,
        query_timeout: statementTimeoutMs + NETWORK_GRACE_MS,
      }),
    },
  });
}
