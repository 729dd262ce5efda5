import { AUDIT_SCHEMA, Database } from '@quittance/persistence';
import type { Logger } from 'pino';

/** Two pools, so that slow questions never keep the ledger from being written. */
export const LEDGER_DATABASE = Symbol('LEDGER_DATABASE');
export const QUERY_DATABASE = Symbol('QUERY_DATABASE');

/** One transaction at a time, and the ping. */
const LEDGER_CONNECTIONS = 2;
const QUERY_CONNECTIONS = 8;
/** A flush takes tens of milliseconds; a database under a checkpoint may take seconds. */
const LEDGER_STATEMENT_TIMEOUT_MS = 30_000;
/** Shorter than a client's patience: a filter that finds next to nothing reads far. */
const QUERY_STATEMENT_TIMEOUT_MS = 8_000;

export function ledgerDatabase(url: string, logger: Logger): Database {
  return new Database({
    url,
    ...AUDIT_SCHEMA,
    poolSize: LEDGER_CONNECTIONS,
    statementTimeoutMs: LEDGER_STATEMENT_TIMEOUT_MS,
    applicationName: 'quittance-audit-ledger',
    onHealth: (health) => logger[health.ready ? 'info' : 'warn'](health, 'the database'),
  });
}

export function queryDatabase(url: string): Database {
  return new Database({
    url,
    ...AUDIT_SCHEMA,
    poolSize: QUERY_CONNECTIONS,
    statementTimeoutMs: QUERY_STATEMENT_TIMEOUT_MS,
    applicationName: 'quittance-audit-queries',
  });
}
