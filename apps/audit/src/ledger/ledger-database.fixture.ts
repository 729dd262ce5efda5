import { AUDIT_SCHEMA, Database, provisionDatabase } from '@quittance/persistence';
import { startTestPostgres, waitUntil, type TestPostgres } from '@quittance/testing';

export interface LedgerDatabase {
  server: TestPostgres;
  /** Connected with the rights of the service's own role. */
  pool: Database;
  remove(): Promise<void>;
}

/** For the server's superuser: the service itself may not. */
export const EMPTY_LEDGER = `TRUNCATE audit.events, audit.deliveries, audit.attempts, audit.duplicates,
  audit.retry_requests, audit.rejections, audit.key_usage, audit.replays, audit.replay_items`;

/** A Postgres of a spec's own, with an empty ledger. */
export async function startLedgerDatabase(): Promise<LedgerDatabase> {
  const server = await startTestPostgres();
  const url = server.urlOf('quittance_audit', 'secret');
  await provisionDatabase({
    ownerUrl: server.url,
    services: [{ definition: AUDIT_SCHEMA, url }],
    report: () => undefined,
  });
  const pool = new Database({ url, ...AUDIT_SCHEMA, poolSize: 6 });
  pool.start();
  await waitUntil(() => pool.health.ready, { what: 'the database' });
  return {
    server,
    pool,
    remove: async () => {
      await pool.close();
      await server.remove();
    },
  };
}
