import { setTimeout as sleep } from 'node:timers/promises';
import type { OnModuleDestroy } from '@nestjs/common';
import type { PoolClient } from 'pg';
import type { EventRecord, IncomingRecord, Outcome } from '@quittance/contracts';
import { Coalescer, type Settled } from '@quittance/kafka';
import { StoreError, type Database } from '@quittance/persistence';
import type { Metrics } from '@quittance/service';
import type { Logger } from 'pino';
import { EventGathering } from './event-gathering.js';
import { emptyRows, foldEvent, foldOutcome, logPosition } from './fold.js';
import { eventKey } from './rows.js';
import { statementsFor } from './statements.js';

export type LedgerEntry =
  | { kind: 'event'; record: EventRecord; position: bigint; bytes: number }
  | { kind: 'outcome'; outcome: Outcome; position: bigint; bytes: number };

/** About half a second's records at 4,500 deliveries/s. */
const MAX_RECORDS = 3000;
/** Events carry up to 1 MiB of data each, and a flush holds them twice: as received and as a parameter. */
const MAX_BYTES = 8 * 1024 * 1024;
/**
 * A flush costs 2 ms of CPU whatever it holds, and an event that comes with its outcomes is written once
 * instead of updated twice (290 µs an event in flushes of 10 events, 110 µs in flushes of 100). So a steady
 * stream is gathered for this long; the first record after a silence is written at once.
 */
const DEFAULT_PAUSE_MS = 100;
/** After a large flush: what was routed and delivered between two flushes is written once, not written and updated. */
const LONG_PAUSE_MS = 200;
const LONG_PAUSE_ABOVE = 250;
/**
 * How long, after a large flush, an event is kept back until each of its deliveries has an outcome. Less than the 3 s that a
 * partition that goes to another member waits for what is in flight.
 */
const DEFAULT_GATHER_MS = 1_500;
/** A large flush tells of a high rate for so long. */
const BUSY_MS = 1_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

export interface LedgerWriterOptions {
  /** How long records are gathered after a flush. Default 100 ms. */
  pauseMs?: number;
  /** How long an event may wait for what becomes of it, while there is much to write. Default 1,500 ms. */
  gatherMs?: number;
}

/** An entry, and whom to tell what became of it. */
interface Waiting {
  entry: LedgerEntry;
  settle(result: Settled<void>): void;
}

/** Brings records into the ledger, many per transaction. */
export class LedgerWriter implements OnModuleDestroy {
  private readonly coalescer: Coalescer<LedgerEntry, void>;
  private readonly gathering: EventGathering<Waiting>;
  private busyUntil = 0;
  private readonly stopping = new AbortController();
  /** Why the flush under way waits; `undefined` when none does. */
  private obstacle: StoreError | undefined;
  private readonly duration;
  private readonly written;

  constructor(
    private readonly database: Database,
    metrics: Metrics,
    private readonly logger: Logger,
    options: LedgerWriterOptions = {},
  ) {
    this.duration = metrics.histogram(
      'quittance_ledger_flush_duration_seconds',
      'Time from the start of a flush of the ledger to its commit.',
    );
    this.written = metrics.counter(
      'quittance_ledger_records_total',
      'Records that reached the ledger, and those that Postgres rejected.',
      ['kind', 'outcome'],
    );
    this.coalescer = new Coalescer({
      flush: (entries) => this.flush(entries),
      maxItems: MAX_RECORDS,
      maxBytes: MAX_BYTES,
      sizeOf: (entry) => entry.bytes,
      pauseAfter: (records) =>
        options.pauseMs ?? (records > LONG_PAUSE_ABOVE ? LONG_PAUSE_MS : DEFAULT_PAUSE_MS),
    });
    this.gathering = new EventGathering({
      pass: ({ entry, settle }) => this.coalescer.push(entry, settle),
      longestMs: options.gatherMs ?? DEFAULT_GATHER_MS,
      isWorthIt: () => performance.now() < this.busyUntil,
    });
  }

  /**
   * Resolves once the event's record is committed; waits for the database as long as it takes.
   * @throws StoreError `store_rejected` when the database cannot hold this record; retryable while shutting down
   */
  writeEvent(record: EventRecord, from: IncomingRecord): Promise<void> {
    const entry: LedgerEntry = { kind: 'event', record, ...placeOf(from) };
    // A replay writes no event: what comes of it is in the outcomes.
    if (record.replay) return this.coalescer.add(entry);
    const { id, source } = record.attributes;
    return whenSettled((settle) =>
      this.gathering.event(eventKey(record.namespace, id, source), { entry, settle }),
    );
  }

  /** As `writeEvent`, for a record of `outcomes.v1`. */
  writeOutcome(outcome: Outcome, from: IncomingRecord): Promise<void> {
    const entry: LedgerEntry = { kind: 'outcome', outcome, ...placeOf(from) };
    switch (outcome.type) {
      case 'routed':
      case 'duplicate': {
        if (outcome.type === 'routed' && outcome.replay) break;
        const key = eventKey(outcome.namespace, outcome.eventId, outcome.eventSource);
        const matched = outcome.type === 'routed' ? outcome.matched : [];
        const sent = matched.filter(({ held }) => held === undefined);
        const deliveries = sent.map(({ deliveryId }) => deliveryId);
        return whenSettled((settle) => this.gathering.routed(key, deliveries, { entry, settle }));
      }
      case 'attempted':
      case 'delivered':
      case 'dead':
      case 'held':
        return whenSettled((settle) => this.gathering.outcome(outcome.deliveryId, { entry, settle }));
    }
    return this.coalescer.add(entry);
  }

  /** Ready unless what has arrived cannot be written: it is held until it can. */
  get health(): { ready: boolean; detail: string } {
    const { obstacle } = this;
    if (!obstacle) return { ready: true, detail: 'written' };
    const waiting = this.coalescer.size + this.gathering.size;
    return { ready: false, detail: `${waiting} records wait: ${obstacle.message}` };
  }

  /** Consumers drain after this: what cannot be written now stays in Kafka. */
  onModuleDestroy(): void {
    this.stopping.abort();
    this.gathering.close();
  }

  private async flush(entries: readonly LedgerEntry[]): Promise<Settled<void>[]> {
    if (entries.length + this.gathering.size > LONG_PAUSE_ABOVE) this.busyUntil = performance.now() + BUSY_MS;
    const stop = this.duration.startTimer();
    const results = await this.write(entries);
    stop();
    for (const [index, result] of results.entries()) {
      const kind = entries[index]!.kind;
      if (result.ok) this.written.inc({ kind, outcome: 'written' });
      else if (isRejected(result.error)) this.written.inc({ kind, outcome: 'rejected' });
    }
    return results;
  }

  /** A record that the database rejects must not hold up the others: halving finds it. */
  private async write(entries: readonly LedgerEntry[]): Promise<Settled<void>[]> {
    try {
      await this.commitWhenPossible(entries);
      return entries.map(() => ({ ok: true, value: undefined }));
    } catch (error) {
      if (!isRejected(error) || entries.length === 1) {
        const failure = error instanceof Error ? error : new Error(String(error));
        return entries.map(() => ({ ok: false, error: failure }));
      }
      const middle = entries.length >> 1;
      const first = await this.write(entries.slice(0, middle));
      return [...first, ...(await this.write(entries.slice(middle)))];
    }
  }

  /**
   * With the database away, the flush is what waits: a full window of records each failing by itself would
   * write a log line per record and second.
   */
  private async commitWhenPossible(entries: readonly LedgerEntry[]): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; ; failures++) {
      try {
        await this.commit(entries);
        if (failures > 0) this.logger.info({ failures }, 'the ledger is written again');
        this.obstacle = undefined;
        return;
      } catch (error) {
        this.obstacle = error instanceof StoreError && error.retryable ? error : undefined;
        if (!this.obstacle || signal.aborted) throw error;
        if (failures === 0) this.logger.warn({ err: error }, 'the ledger cannot be written; trying again');
        const pauseMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), LONGEST_RETRY_MS);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  private async commit(entries: readonly LedgerEntry[]): Promise<void> {
    const rows = emptyRows();
    for (const entry of entries) {
      if (entry.kind === 'event') foldEvent(rows, entry.record, entry.position);
      else foldOutcome(rows, entry.outcome, entry.position);
    }
    const statements = statementsFor(rows);
    if (statements.length === 0) return;
    await this.database.transaction(async (manager) => {
      // TypeORM's own `query` knows no named statements, which save the planning of each flush.
      const client: PoolClient = await manager.queryRunner!.connect();
      for (const statement of statements) await client.query(statement);
    });
  }
}

function whenSettled(submit: (settle: Waiting['settle']) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    submit((result) => (result.ok ? resolve() : reject(result.error)));
  });
}

function isRejected(error: unknown): boolean {
  return error instanceof StoreError && !error.retryable;
}

function placeOf(record: IncomingRecord): { position: bigint; bytes: number } {
  return {
    position: logPosition(record.partition, record.offset),
    bytes: (record.value?.length ?? 0) + 512,
  };
}
