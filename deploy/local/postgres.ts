import { existsSync } from 'node:fs';
import { chown, mkdir, open, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { LocalStackError, logTail } from './errors.ts';
import { postgresAccount, postgresBinaries, type Account } from './postgres-install.ts';
import { startProcess, type OwnedProcess } from './processes.ts';
import { runToEnd } from './run.ts';

export interface PostgresOptions {
  /** Survives restarts; made when missing. */
  dataDir: string;
  logFile: string;
  port: number;
  /** Of the superuser `postgres`; set when the data folder is made, and needed ever after. */
  password: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** `false` leaves out fsync: faster, and survives a kill of Postgres, but not of the machine. Default true. */
  durable?: boolean;
}

export interface PostgresHandle {
  pid: number;
  host: string;
  port: number;
  /** Of the superuser, to the database `postgres`. */
  adminUrl: string;
  exited: OwnedProcess['exited'];
  /** Ends sessions, writes a checkpoint and stops. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 20_000;
const POLL_MS = 50;
const INVALID_PASSWORD = '28P01';

/**
 * Makes the data folder if it is new, and starts Postgres from the npm package's binaries. As root it runs as the
 * user `postgres` (made when missing), because Postgres refuses root. Resolves when it takes connections.
 * @throws LocalStackError `postgres_failed`
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresHandle> {
  const host = options.host ?? '127.0.0.1';
  const durable = options.durable ?? true;
  const binaries = await postgresBinaries();
  const account = await postgresAccount([dirname(options.dataDir), dirname(binaries.postgres)]);
  if (!existsSync(join(options.dataDir, 'PG_VERSION'))) {
    await initialise(options, binaries.initdb, account, durable);
  }

  const settings: Record<string, string | number> = {
    listen_addresses: host,
    port: options.port,
    // TCP only: a socket's path must be short, and a clone's may be long.
    unix_socket_directories: '',
    max_connections: 200,
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
  };
  const log = await open(options.logFile, 'w');
  const postgres = await startProcess({
    command: binaries.postgres,
    args: ['-D', options.dataDir, ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])],
    output: log.fd,
    // "Fast shutdown": SIGTERM would wait for every client to leave by itself.
    stopSignal: 'SIGINT',
    graceMs: STOP_GRACE_MS,
    ...account,
  });
  await log.close();
  const adminUrl = postgresUrl({ host, port: options.port, user: 'postgres', password: options.password });
  await untilStarted(postgres, adminUrl, options.logFile);
  return {
    pid: postgres.pid,
    host,
    port: options.port,
    adminUrl,
    exited: postgres.exited,
    stop: async () => void (await postgres.stop()),
    kill: async () => void (await postgres.kill()),
  };
}

/** `postgres://user:password@host:port/database`; the database is `postgres` unless named. */
export function postgresUrl(to: {
  host: string;
  port: number;
  user: string;
  password: string;
  database?: string;
}): string {
  const user = `${encodeURIComponent(to.user)}:${encodeURIComponent(to.password)}`;
  return `postgres://${user}@${to.host}:${to.port}/${to.database ?? 'postgres'}`;
}

/**
 * Makes the owner's role, which may make further roles but is no superuser, and a database that belongs to it.
 * Does nothing that has been done before, except that the role's password is set again.
 */
export async function prepareDatabase(options: {
  adminUrl: string;
  database: string;
  owner: string;
  password: string;
}): Promise<void> {
  const client = new Client({ connectionString: options.adminUrl });
  await client.connect();
  try {
    const owner = client.escapeIdentifier(options.owner);
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [options.owner]);
    await client.query(
      `${roles.rowCount ? 'ALTER' : 'CREATE'} ROLE ${owner} LOGIN CREATEROLE PASSWORD ${client.escapeLiteral(options.password)}`,
    );
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [options.database]);
    if (!databases.rowCount) {
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(options.database)} OWNER ${owner}`);
    }
  } finally {
    await client.end();
  }
}

async function initialise(
  options: PostgresOptions,
  initdb: string,
  account: Account,
  durable: boolean,
): Promise<void> {
  // Renamed when complete, so that an interrupted start leaves nothing that looks like a database.
  const partial = `${options.dataDir}.partial`;
  const passwordFile = `${options.dataDir}.password`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, options.password, { mode: 0o600 });
  try {
    if (account.uid !== undefined && account.gid !== undefined) {
      await chown(partial, account.uid, account.gid);
      await chown(passwordFile, account.uid, account.gid);
    }
    const { code, output } = await runToEnd(
      initdb,
      [
        `--pgdata=${partial}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Built in, so the same on every machine; sorts by code point.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        ...(durable ? [] : ['--no-sync']),
      ],
      account,
    );
    if (code !== 0) {
      throw new LocalStackError('postgres_failed', `Postgres could not make ${options.dataDir}:\n${output}`);
    }
    await rename(partial, options.dataDir);
  } finally {
    await unlink(passwordFile);
  }
}

async function untilStarted(postgres: OwnedProcess, adminUrl: string, logFile: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (postgres.running && performance.now() < deadline) {
    const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if ((error as { code?: string }).code === INVALID_PASSWORD) {
        await postgres.stop();
        throw new LocalStackError(
          'postgres_failed',
          'Postgres has another password than the local secrets say. Begin anew with `npm start -- --fresh`.',
        );
      }
    }
    await Promise.race([sleep(POLL_MS), postgres.exited]);
  }
  const how = postgres.running
    ? `did not start within ${START_TIMEOUT_MS / 1000} s`
    : 'ended while it started';
  await postgres.kill();
  throw new LocalStackError(
    'postgres_failed',
    `Postgres ${how}. The end of ${logFile}:\n${logTail(logFile)}`,
  );
}
