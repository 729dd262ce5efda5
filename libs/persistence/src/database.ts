import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager } from 'typeorm';
import { createDataSource, MIGRATIONS_TABLE, type DataSourceSettings } from './data-source.js';
import { StoreError, storeErrorOf, withStoreErrors } from './store-error.js';

export interface DatabaseHealth {
  ready: boolean;
  detail: string;
}

export interface DatabaseOptions extends DataSourceSettings {
  /** Told once per change of health; the message holds no secret. */
  onHealth?: (health: DatabaseHealth) => void;
}

const PING_INTERVAL_MS = 2_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * A service's pool of connections. It starts without the database and finds it later, so a service is up,
 * and says that it is not ready, while Postgres is down.
 */
export class Database {
  /** Connected once `start` has found the database; until then its use fails as `store_unavailable`. */
  readonly dataSource: DataSource;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private current: DatabaseHealth = { ready: false, detail: 'not connected yet' };

  constructor(private readonly options: DatabaseOptions) {
    this.dataSource = createDataSource(options);
  }

  /** Connects in the background, again and again until it works, and watches the connection from then on. */
  start(): void {
    this.running ??= this.watch();
  }

  /** What the last look at the database found: a ping every 2 s. */
  get health(): DatabaseHealth {
    return this.current;
  }

  /**
   * Runs `work` with any free connection.
   * @throws StoreError
   */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.assertConnected();
    return withStoreErrors(() => work(this.dataSource.manager));
  }

  /**
   * Runs `work` in a transaction: READ COMMITTED, rolled back when it throws.
   * @throws StoreError
   */
  async transaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    this.assertConnected();
    return withStoreErrors(() => this.dataSource.transaction(work));
  }

  /** Ends the watch and the pool; waits for statements under way. Call it after everything that queries has stopped. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private assertConnected(): void {
    if (!this.dataSource.isInitialized) {
      throw new StoreError('store_unavailable', 'The database cannot be reached; try again.');
    }
  }

  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        if (!this.dataSource.isInitialized) await this.dataSource.initialize();
        await this.look();
      } catch (error) {
        const known = storeErrorOf(error);
        this.report({ ready: false, detail: known ? `${known.code}: ${known.message}` : 'unexpected error' });
      }
      const waitMs = this.current.ready ? PING_INTERVAL_MS : pauseMs;
      pauseMs = this.current.ready ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const expected = this.options.migrations?.length ?? 0;
    const rows: { ran: number }[] = await this.dataSource.query(
      `SELECT count(*)::int AS ran FROM ${MIGRATIONS_TABLE}`,
    );
    const ran = rows[0]?.ran ?? 0;
    this.report(
      ran >= expected
        ? { ready: true, detail: 'connected' }
        : {
            ready: false,
            detail: `${expected - ran} migrations have not run: run the control set-up`,
          },
    );
  }

  private report(health: DatabaseHealth): void {
    const isNews = health.ready !== this.current.ready || health.detail !== this.current.detail;
    this.current = health;
    if (isNews) this.options.onHealth?.(health);
  }
}
