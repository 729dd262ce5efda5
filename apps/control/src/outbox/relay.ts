import { Inject, Injectable } from '@nestjs/common';
import {
  encodeConfigChange,
  type OutgoingRecord,
  type Resource,
  type ResourceKind,
  Topics,
} from '@quittance/contracts';
import { Database, LOCK_SPACE, ResourceRow, type OutboxRow } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { resourceOf } from '../resources/resource-view.js';
import { OutboxRepository } from './outbox.repository.js';

/** Writes records and settles when Kafka has acknowledged all of them, or not. */
export interface ConfigPublisher {
  publishAll(records: OutgoingRecord[]): Promise<unknown>;
}
export const CONFIG_PUBLISHER = Symbol('CONFIG_PUBLISHER');

/** Second half of the advisory lock under which `config.v1` is written, by one replica at a time. */
const RELAY_LOCK = 3;
/** A resource may have a megabyte; this many are in memory at once. */
const PAGE = 100;
const PUBLISHED_ROWS_KEPT_MS = 24 * 60 * 60 * 1000;
const PRUNED_AT_ONCE = 1000;

/** Publishes the outbox to `config.v1`, in the order of the changes of each resource. */
@Injectable()
export class Relay {
  private running: Promise<void> = Promise.resolve();
  private queued: Promise<void> | undefined;
  /**
   * Resources whose records were sent in a transaction that then failed. The lock may have been lost before
   * the records arrived, so they may lie behind newer ones of another replica: what is newest is sent again.
   */
  private readonly suspects = new Set<string>();
  private readonly abandoned = Promise.withResolvers<never>();

  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(OutboxRepository) private readonly outbox: OutboxRepository,
    @Inject(CONFIG_PUBLISHER) private readonly publisher: ConfigPublisher,
    @Inject(Topics) private readonly topics: Topics,
  ) {
    // Whoever waits for a flush is told; when nobody does, that is fine too.
    this.abandoned.promise.catch(() => undefined);
  }

  /**
   * Settles once everything that is committed now has been acknowledged by Kafka. All who call it while one
   * flush runs share the next.
   * @throws PublishError, StoreError; the rows stay unpublished, for the next flush
   */
  flush(): Promise<void> {
    this.queued ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.queued = undefined;
        this.running = this.publishPending();
        return this.running;
      });
    return this.queued;
  }

  /**
   * Publishes every resource as it stands, and then the marker that tells readers that they know all of it.
   * @throws PublishError, StoreError
   */
  async publishSnapshot(): Promise<void> {
    await this.exclusively(async (manager, send) => {
      let last: ResourceRow | undefined;
      do {
        const rows = await this.resourcesAfter(manager, last);
        await send(rows.map((row) => this.putOf(row)));
        last = rows.length === PAGE ? rows.at(-1) : undefined;
      } while (last);
      const at = new Date().toISOString();
      await send([encodeConfigChange(this.topics.config, { change: 'snapshot', at })]);
    });
  }

  /** How long Kafka has been owed a change; 0 when it is owed none. */
  oldestPendingSeconds(): Promise<number> {
    return this.database.run((manager) => this.outbox.oldestPendingSeconds(manager));
  }

  /** Deletes some of what was published more than a day ago. */
  async prune(): Promise<void> {
    await this.database.run((manager) => this.outbox.prune(manager, PUBLISHED_ROWS_KEPT_MS, PRUNED_AT_ONCE));
  }

  /** Waits no longer for Kafka, now and from now on: what is not acknowledged stays unpublished, for the next start. */
  abandon(): void {
    this.abandoned.reject(new Error('The service is shutting down.'));
  }

  private async publishPending(): Promise<void> {
    let isFull: boolean;
    do {
      isFull = await this.exclusively(async (manager, send) => {
        const rows = await this.outbox.pending(manager, PAGE);
        if (rows.length === 0) return false;
        await send(this.newestOfEach(rows));
        await this.outbox.markPublished(manager, rows);
        return rows.length === PAGE;
      });
    } while (isFull);
  }

  /** Runs `work` while no other replica writes, in one transaction: what was sent is marked, or sent again. */
  private async exclusively<T>(
    work: (manager: EntityManager, send: (records: OutgoingRecord[]) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const sent = new Set<string>();
    const result = await this.database.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, RELAY_LOCK]);
      if (this.suspects.size > 0) await this.outbox.republish(manager, [...this.suspects]);
      return work(manager, async (records) => {
        for (const { key } of records) {
          if (key === null) continue;
          this.suspects.add(key);
          sent.add(key);
        }
        await Promise.race([this.publisher.publishAll(records), this.abandoned.promise]);
      });
    });
    for (const key of sent) this.suspects.delete(key);
    return result;
  }

  /** The topic is compacted: of several changes of one resource only the last one tells anything. */
  private newestOfEach(rows: readonly OutboxRow[]): OutgoingRecord[] {
    const newest = new Map(rows.map((row) => [row.aggregateid, row]));
    return Array.from(newest.values(), (row) => this.recordOf(row));
  }

  private recordOf({ aggregateid, payload }: OutboxRow): OutgoingRecord {
    if (payload) {
      return encodeConfigChange(this.topics.config, { change: 'put', resource: payload as Resource });
    }
    const [kind = '', namespace = '', ...name] = aggregateid.split('/');
    return encodeConfigChange(this.topics.config, {
      change: 'delete',
      kind: kind as ResourceKind,
      namespace,
      name: name.join('/'),
    });
  }

  private putOf(row: ResourceRow): OutgoingRecord {
    return encodeConfigChange(this.topics.config, { change: 'put', resource: resourceOf(row) });
  }

  private resourcesAfter(manager: EntityManager, last: ResourceRow | undefined): Promise<ResourceRow[]> {
    const query = manager
      .createQueryBuilder(ResourceRow, 'r')
      .orderBy('r.kind')
      .addOrderBy('r.namespace')
      .addOrderBy('r.name')
      .limit(PAGE);
    if (last) {
      const { kind, namespace, name } = last;
      query.where('(r.kind, r.namespace, r.name) > (:kind, :namespace, :name)', { kind, namespace, name });
    }
    return query.getMany();
  }
}
