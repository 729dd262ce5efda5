import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Problem } from '@quittance/contracts';
import { LOCK_SPACE } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';

/** Asks Kafka how many partitions `deliveries.v1` has. */
export type CountPartitions = () => Promise<number>;
export const COUNT_PARTITIONS = Symbol('COUNT_PARTITIONS');

/** Second half of the advisory lock under which homes are given out. */
const ASSIGNMENT_LOCK = 2;
/** Partitions are added by hand, rarely; a home on an old one is never wrong. */
const COUNT_VALID_MS = 60_000;
const PATIENCE_MS = 2_000;

/** Gives each subscription its home on `deliveries.v1`: one of its own while partitions last, then the least used. */
@Injectable()
export class HomePartitions {
  private asking: Promise<void> | undefined;
  private known: { count: number; at: number } | undefined;

  constructor(@Inject(COUNT_PARTITIONS) private readonly ask: CountPartitions) {}

  /** @returns the last known count while Kafka is away; `undefined` when none was ever known */
  async count(): Promise<number | undefined> {
    if (!this.known) await this.refresh();
    else if (performance.now() - this.known.at > COUNT_VALID_MS) void this.refresh();
    return this.known?.count;
  }

  /**
   * Part of the transaction that creates the subscription: others that create one wait for its end.
   * @throws Problem `kafka_unavailable` when the number of partitions is not known
   */
  async assign(manager: EntityManager, partitions: number | undefined): Promise<number> {
    if (partitions === undefined) {
      throw new Problem(
        'kafka_unavailable',
        'Kafka has to be reached once before a subscription can be created, to learn the number of partitions. Try again.',
        {},
        { 'retry-after': '5' },
      );
    }
    await manager.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, ASSIGNMENT_LOCK]);
    const rows: { partition: number }[] = await manager.query(
      `SELECT p AS partition
         FROM generate_series(0, $1::int - 1) AS p
         LEFT JOIN (SELECT (status->>'partition')::int AS home, count(*) AS used
                      FROM resources WHERE kind = 'Subscription' GROUP BY 1) AS homes ON home = p
        ORDER BY coalesce(used, 0), p
        LIMIT 1`,
      [partitions],
    );
    return rows[0]!.partition;
  }

  /** All who ask at the same time share one question, and none waits longer than a client would. */
  private async refresh(): Promise<void> {
    this.asking ??= this.ask()
      .then((count) => {
        if (count > 0) this.known = { count, at: performance.now() };
      })
      // The cause shows in the Kafka client's own log and in readiness.
      .catch(() => undefined)
      .finally(() => {
        this.asking = undefined;
      });
    const patience = new AbortController();
    await Promise.race([
      this.asking,
      sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }
}
