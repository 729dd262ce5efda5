import { setTimeout as sleep } from 'node:timers/promises';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Catalogue } from '@quittance/catalog';
import { parseDuration } from '@quittance/contracts';
import { LOCK_SPACE, StoreError, type Database } from '@quittance/persistence';
import type { Metrics } from '@quittance/service';
import type { Logger } from 'pino';
import type { EntityManager } from 'typeorm';
import { halfEvents, oldEvents, orphanDeliveries, orphanDuplicates } from './event-steps.js';
import { oldRejections } from './rejection-step.js';
import { oldReplays } from './replay-step.js';
import { PRUNED_KINDS, type Batch, type Cutoffs, type Pruned, type PruningStep } from './step.js';

const DAY_MS = 86_400_000;
/**
 * The longest that something can still be heard of a delivery: its record waits at most 7 days in a retry topic, 7 in
 * `deliveries.v1`, and its outcome 7 in `outcomes.v1`. Then Kafka has dropped it.
 */
const QUIET_MS = 21 * DAY_MS;
/** A subscription that nobody resumes for so long has no use for what it missed. */
const HELD_MS = 90 * DAY_MS;
const KEY_USAGE_MS = 400 * DAY_MS;
const KEYS_AT_ONCE = 1_000;

const ROUND_INTERVAL_MS = 60_000;
const LONGEST_INTERVAL_MS = 3_600_000;
/** Looking through what must stay takes at most this part of the time. */
const IDLE_SHARE = 20;
/** Between batches; at least as long as the last one took, so that half of the time belongs to others. */
const SHORTEST_PAUSE_MS = 10;

/** Events first: what is left of the others after that has no event. */
const STEPS: readonly PruningStep[] = [
  oldEvents,
  halfEvents,
  orphanDeliveries,
  orphanDuplicates,
  oldRejections,
  oldReplays,
];

/** What a round did. */
export interface PruningRound {
  pruned: Pruned;
  /** The time spent in batches that pruned nothing. */
  idleMs: number;
}

/** The catalogue as far as retention goes. */
export type Retention = Pick<Catalogue, 'ready' | 'isFresh' | 'namespace' | 'isNamespaceReadable'>;

export interface LedgerPrunerOptions {
  /** Epoch milliseconds. Default: this machine's clock. */
  now?: () => number;
}

/**
 * Keeps the ledger from growing for ever, in small transactions. Any number of instances may run: one batch at a time is
 * pruned, and an instance that finds another at it leaves it to that one.
 */
export class LedgerPruner implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private readonly pruned;
  private readonly now: () => number;
  private running: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly retention: Retention,
    metrics: Metrics,
    private readonly logger: Logger,
    options: LedgerPrunerOptions = {},
  ) {
    this.now = options.now ?? Date.now;
    this.pruned = metrics.counter(
      'quittance_ledger_pruned_total',
      'Rows of the ledger that were deleted because their retention was over.',
      ['kind'],
    );
    for (const kind of PRUNED_KINDS) this.pruned.inc({ kind }, 0);
  }

  /** Prunes in the background, a round a minute. */
  start(): void {
    this.running ??= this.repeat();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /**
   * Prunes what there is to prune now.
   * @returns `undefined` when nobody knows now how long to keep things, or another instance is pruning
   * @throws StoreError
   */
  async round(): Promise<PruningRound | undefined> {
    // With a catalogue that has not read everything, a namespace's long retention would look like the default.
    if (!this.retention.ready || !this.retention.isFresh()) return undefined;
    const round: PruningRound = { pruned: {}, idleMs: 0 };
    for (const step of STEPS) {
      const namespaces = await this.database.run((manager) => step.namespaces(manager));
      for (const namespace of namespaces) {
        // Its retention may be longer than what is known of it.
        if (!this.retention.isNamespaceReadable(namespace)) continue;
        if (!(await this.pruneNamespace(step, namespace, round))) return undefined;
      }
    }
    return (await this.pruneKeyUsage(round)) ? round : undefined;
  }

  private async pruneNamespace(step: PruningStep, namespace: string, round: PruningRound): Promise<boolean> {
    const cutoffs = this.cutoffsOf(namespace);
    let after: Batch['next'];
    do {
      const batch = await this.exclusively(round, (manager) =>
        step.batch(manager, namespace, cutoffs, after),
      );
      if (batch === undefined) return false;
      after = batch.next;
    } while (after !== undefined);
    return true;
  }

  private async pruneKeyUsage(round: PruningRound): Promise<boolean> {
    const batch = await this.exclusively(round, async (manager) => {
      const [pruned] = await manager.query<Pruned[]>(
        `WITH gone AS (
           DELETE FROM audit.key_usage WHERE (uid, credential_id) IN (
             SELECT uid, credential_id FROM audit.key_usage WHERE last_used_at < $1
              LIMIT ${KEYS_AT_ONCE} FOR UPDATE SKIP LOCKED)
           RETURNING 1
         )
         SELECT count(*)::int AS key_usage FROM gone`,
        [new Date(this.now() - KEY_USAGE_MS)],
      );
      return { pruned: pruned ?? {} };
    });
    return batch !== undefined;
  }

  private cutoffsOf(namespace: string): Cutoffs {
    const now = this.now();
    const { events, rejections } = this.retention.namespace(namespace).retention;
    return {
      events: new Date(now - parseDuration(events)),
      rejections: new Date(now - parseDuration(rejections)),
      quiet: new Date(now - QUIET_MS),
      held: new Date(now - HELD_MS),
    };
  }

  /** @returns `undefined` when another instance is at work, or this one is stopping */
  private async exclusively(
    round: PruningRound,
    work: (manager: EntityManager) => Promise<Batch>,
  ): Promise<Batch | undefined> {
    if (this.stopping.signal.aborted) return undefined;
    const start = performance.now();
    const batch = await this.database.transaction(async (manager) => {
      const [row] = await manager.query<{ locked: boolean }[]>(
        'SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS locked',
        [LOCK_SPACE, 'pruning of the ledger'],
      );
      return row?.locked === true ? work(manager) : undefined;
    });
    if (batch === undefined) return undefined;
    const tookMs = performance.now() - start;
    if (!this.count(batch.pruned, round.pruned)) round.idleMs += tookMs;
    if (batch.next !== undefined) await this.pause(Math.max(tookMs, SHORTEST_PAUSE_MS));
    return batch;
  }

  /** @returns whether there was anything */
  private count(pruned: Pruned, total: Pruned): boolean {
    let isAny = false;
    for (const kind of PRUNED_KINDS) {
      const rows = pruned[kind] ?? 0;
      if (rows === 0) continue;
      isAny = true;
      total[kind] = (total[kind] ?? 0) + rows;
      this.pruned.inc({ kind }, rows);
    }
    return isAny;
  }

  private async repeat(): Promise<void> {
    let intervalMs = ROUND_INTERVAL_MS;
    for (;;) {
      await this.pause(intervalMs);
      if (this.stopping.signal.aborted) return;
      intervalMs = ROUND_INTERVAL_MS;
      try {
        const round = await this.round();
        if (round === undefined) continue;
        if (Object.keys(round.pruned).length > 0)
          this.logger.info({ pruned: round.pruned }, 'the ledger was pruned');
        intervalMs = Math.min(Math.max(round.idleMs * IDLE_SHARE, ROUND_INTERVAL_MS), LONGEST_INTERVAL_MS);
      } catch (error) {
        // With the database away there is nothing to say that its health does not say.
        if (error instanceof StoreError && error.code === 'store_unavailable') continue;
        this.logger.warn({ err: error }, 'the ledger could not be pruned; trying again in a minute');
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
  }
}
