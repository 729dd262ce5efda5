import { DEFAULT_NAMESPACE, type NamespaceSpec } from '@quittance/contracts';
import { createLogger, Metrics } from '@quittance/service';
import { Pool } from 'pg';
import { EMPTY_LEDGER, startLedgerDatabase, type LedgerDatabase } from '../ledger/ledger-database.fixture.js';
import { LedgerWriter } from '../ledger/ledger-writer.js';
import { accepted, delivered, routed, T0, writeFacts, type Fact } from '../ledger/story.fixture.js';
import { LedgerPruner, type PruningRound, type Retention } from './ledger-pruner.js';

export const DAY = 86_400_000;

/** What tells the rows of each table apart. */
const KEYS = {
  events: 'id',
  deliveries: "event_id || ' ' || subscription",
  attempts: 'attempt_id',
  duplicates: 'event_id',
  retry_requests: 'delivery_id',
  rejections: 'id',
  key_usage: 'credential_id',
  replays: 'id',
} as const;
type Table = keyof typeof KEYS;

const KNOWN: Retention = {
  ready: true,
  isFresh: () => true,
  namespace: () => DEFAULT_NAMESPACE,
  isNamespaceReadable: () => true,
};

/** A ledger on a Postgres of a spec's own, and a pruner whose time is the spec's. */
export class PrunedLedger {
  private readonly logger = createLogger({ service: 'audit', version: '0', level: 'silent' });

  private constructor(
    readonly database: LedgerDatabase,
    /** Of the server's superuser. */
    readonly admin: Pool,
  ) {}

  static async start(): Promise<PrunedLedger> {
    const database = await startLedgerDatabase();
    const admin = new Pool({ connectionString: database.server.url, max: 2 });
    admin.on('error', () => undefined);
    return new PrunedLedger(database, admin);
  }

  async empty(): Promise<void> {
    await this.admin.query(EMPTY_LEDGER);
  }

  async remove(): Promise<void> {
    await this.admin.end();
    await this.database.remove();
  }

  async write(facts: readonly Fact[]): Promise<void> {
    const writer = new LedgerWriter(this.database.pool, new Metrics('audit'), this.logger, { pauseMs: 0 });
    await Promise.all(writeFacts(writer, facts));
  }

  /** @param days since `T0` */
  pruner(days: number, retention: Partial<Retention> = {}, metrics = new Metrics('audit')): LedgerPruner {
    const known = { ...KNOWN, ...retention };
    return new LedgerPruner(this.database.pool, known, metrics, this.logger, { now: () => T0 + days * DAY });
  }

  prune(...when: Parameters<PrunedLedger['pruner']>): Promise<PruningRound | undefined> {
    return this.pruner(...when).round();
  }

  async left(table: Table): Promise<string[]> {
    const { rows } = await this.admin.query<{ key: string }>(
      `SELECT ${KEYS[table]} AS key FROM audit.${table} ORDER BY 1`,
    );
    return rows.map((row) => row.key);
  }

  /** Of every table, in the order of `KEYS`. */
  async countAll(): Promise<number[]> {
    const counts: number[] = [];
    for (const table of Object.keys(KEYS) as Table[]) counts.push((await this.left(table)).length);
    return counts;
  }
}

export function kept(events: string, rejections = '7d'): NamespaceSpec {
  return { ...DEFAULT_NAMESPACE, retention: { events, rejections } };
}

/** An event that was delivered at once. */
export function settled(id: string, at: number): Fact[] {
  return [
    accepted(id, { acceptedAt: at }),
    routed(id, ['billing'], { at: at + 2 }),
    delivered(id, 'billing', 1, at + 5),
  ];
}
