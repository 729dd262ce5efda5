import { AUDIT_SCHEMA, Database } from '@quittance/persistence';
import type { Logger } from 'pino';

/** A pool for each, so that neither slow questions nor pruning nor replays keep the ledger from being written. */
export const LEDGER_DATABASE = Symbol('LEDGER_DATABASE');
export const QUERY_DATABASE = Symbol('QUERY_DATABASE');
export const PRUNING_DATABASE = Symbol('PRUNING_DATABASE');
export const REPLAY_DATABASE = Symbol('REPLAY_DATABASE');

/** One transaction at a time, and the ping. */
const LEDGER_CONNECTIONS = 2;
const QUERY_CONNECTIONS = 8;
/** One batch at a time, and the ping. */
const PRUNING_CONNECTIONS = 2;
/** A step of a replay, a look at what is held, and the ping. */
const REPLAY_CONNECTIONS = 3;
/** A flush takes tens of milliseconds; a database under a checkpoint may take seconds. */
const LEDGER_STATEMENT_TIMEOUT_MS = 30_000;
/** Shorter than a client's patience: a filter that finds next to nothing reads far. */
const QUERY_STATEMENT_TIMEOUT_MS = 8_000;
/** A batch takes milliseconds; one of events with hundreds of deliveries and attempts each may take seconds. */
const PRUNING_STATEMENT_TIMEOUT_MS = 60_000;
/** A step takes milliseconds, and at times collects thousands of events that nobody has read for weeks. */
const REPLAY_STATEMENT_TIMEOUT_MS = 30_000;

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

export function pruningDatabase(url: string): Database {
  return new Database({
    url,
    ...AUDIT_SCHEMA,
    poolSize: PRUNING_CONNECTIONS,
    statementTimeoutMs: PRUNING_STATEMENT_TIMEOUT_MS,
    applicationName: 'quittance-audit-pruning',
  });
}

export function replayDatabase(url: string): Database {
  return new Database({
    url,
    ...AUDIT_SCHEMA,
    poolSize: REPLAY_CONNECTIONS,
    statementTimeoutMs: REPLAY_STATEMENT_TIMEOUT_MS,
    applicationName: 'quittance-audit-replays',
  });
}
