import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { PublishError } from '@quittance/kafka';
import {
  LOCK_SPACE,
  StoreError,
  type Database,
  type LedgerReplay,
  type ReplayKind,
  type StoreErrorCode,
} from '@quittance/persistence';
import { LOGGER, Metrics } from '@quittance/service';
import type { Logger } from 'pino';
import { REPLAY_DATABASE } from '../databases.js';
import { endReplay, findDueReplay, putOff, unsettledReplays, clearReplay } from './replay-store.js';
import { ReplaySteps } from './replay-steps.js';
import { Standings } from './standings.js';

const KINDS: readonly ReplayKind[] = ['recover', 'held', 'probe'];
/** What another instance has begun is seen after this, at the latest. */
const IDLE_MS = 1_000;
const SHORTEST_PAUSE_MS = 20;
const UNFRESH_PAUSE_MS = 200;
const KAFKA_PAUSE_MS = 1_000;
const FAILURE_PAUSE_MS = 5_000;
/** The others go on: the one that is due for longest must not be all that is ever tried. */
const CONCERNS_ONE: ReadonlySet<StoreErrorCode> = new Set(['store_contended', 'store_rejected']);

/**
 * Goes on with every replay that is due, a step at a time: a page collected, or a batch sent. A step is a transaction and
 * everything that the next one needs stands in the database, its earliest time too. So any number of instances may run,
 * each step is one instance's, all of them together keep a replay's rate, and whoever is killed is replaced at once.
 */
@Injectable()
export class ReplayRunner implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private waking = new AbortController();
  private running: Promise<void> | undefined;
  private readonly counts = new Map<ReplayKind, number>();
  private readonly replayed;

  constructor(
    @Inject(REPLAY_DATABASE) private readonly database: Database,
    @Inject(Standings) private readonly standings: Standings,
    @Inject(ReplaySteps) private readonly steps: ReplaySteps,
    @Inject(Metrics) metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    metrics.gauge(
      'quittance_replays_running',
      'Replays under way in this installation, by kind; every instance of audit says the same.',
      ['kind'],
      (gauge) => KINDS.forEach((kind) => gauge.set({ kind }, this.counts.get(kind) ?? 0)),
    );
    this.replayed = metrics.counter(
      'quittance_replayed_events_total',
      'Events that were sent to a subscription again by replays.',
      ['kind'],
    );
    for (const kind of KINDS) this.replayed.inc({ kind }, 0);
  }

  start(): void {
    this.running ??= this.repeat();
  }

  /** There is something new to do. */
  wake(): void {
    this.waking.abort();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /**
   * One step for each replay that is due.
   * @returns in how many milliseconds the next one is due, as far as is known
   * @throws StoreError
   */
  async round(): Promise<number> {
    if (!this.standings.areFresh) return UNFRESH_PAUSE_MS;
    const unsettled = await this.database.run(unsettledReplays);
    this.counts.clear();
    let waitMs = IDLE_MS;
    let hasProgressed = false;
    for (const { id, kind, state, inMs } of unsettled) {
      if (state === 'running') this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
      if (inMs > 0) waitMs = Math.min(waitMs, inMs);
      else if (!this.stopping.signal.aborted) hasProgressed = (await this.step(id)) || hasProgressed;
    }
    return hasProgressed ? 0 : Math.max(waitMs, SHORTEST_PAUSE_MS);
  }

  /** @returns whether there was anything to do that no other instance is at */
  private async step(id: string): Promise<boolean> {
    try {
      const done = await this.database.transaction(async (manager) => {
        const [row] = await manager.query<{ locked: boolean }[]>(
          'SELECT pg_try_advisory_xact_lock($1, hashtext($2)) AS locked',
          [LOCK_SPACE, `replay ${id}`],
        );
        const replay = row?.locked === true ? await findDueReplay(manager, id) : undefined;
        if (replay === undefined) return undefined;
        if (replay.state === 'running') return this.steps.next(manager, replay);
        await clearReplay(manager, id);
        return {};
      });
      // Said and counted once it is committed.
      if (done?.started) this.tell('a replay began', done.started);
      if (done?.sent) this.replayed.inc({ kind: done.sent.kind }, done.sent.events);
      if (done?.ended) this.tell('a replay ended', done.ended);
      return done !== undefined;
    } catch (error) {
      if (error instanceof StoreError && !CONCERNS_ONE.has(error.code)) throw error;
      await this.excuse(id, error);
      return true;
    }
  }

  private async excuse(id: string, error: unknown): Promise<void> {
    if (error instanceof PublishError && !error.retryable) {
      const ended = await this.database.run((manager) => endReplay(manager, id, 'failed', error.message));
      if (ended) this.tell('a replay ended', ended);
      return;
    }
    const isKafka = error instanceof PublishError;
    if (!isKafka) this.logger.warn({ err: error, replay: id }, 'a replay could not go on; trying again');
    const [waiting, pauseMs] = isKafka
      ? (['Kafka cannot be reached.', KAFKA_PAUSE_MS] as const)
      : (['Something went wrong. It is tried again.', FAILURE_PAUSE_MS] as const);
    await this.database.run((manager) => putOff(manager, id, waiting, pauseMs));
  }

  private tell(message: string, row: LedgerReplay): void {
    const { id, namespace, subscription, kind, state, rate, total, done, createdBy, error } = row;
    const line = {
      replay: id,
      namespace,
      subscription,
      kind,
      state,
      since: row.since,
      until: row.until,
      rate,
      total,
      done,
      createdBy,
      error,
      ...(row.finishedAt && { durationMs: row.finishedAt.getTime() - row.startedAt.getTime() }),
    };
    this.logger[kind === 'probe' ? 'debug' : 'info'](line, message);
  }

  private async repeat(): Promise<void> {
    const { signal } = this.stopping;
    let failing: string | undefined;
    while (!signal.aborted) {
      this.waking = new AbortController();
      let waitMs: number;
      try {
        waitMs = await this.round();
        failing = undefined;
      } catch (error) {
        waitMs = IDLE_MS;
        const reason = error instanceof Error ? error.message : String(error);
        // With the database away there is nothing to say that its health does not say.
        const isKnown = error instanceof StoreError && error.code === 'store_unavailable';
        // Before the migrations have run it is the same every second.
        if (!isKnown && failing !== reason) {
          this.logger.warn({ err: error }, 'replays cannot go on; trying again');
        }
        failing = reason;
      }
      const until = AbortSignal.any([signal, this.waking.signal]);
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: until, ref: false }).catch(() => undefined);
    }
  }
}
