import { Inject, Injectable } from '@nestjs/common';
import { Database, LOCK_SPACE, type ResourceRow } from '@quittance/persistence';
import type { EntityManager } from 'typeorm';
import { bestHome, freeHome, type PartitionUse } from './home-choice.js';
import {
  homeIsShared,
  noHomeLeft,
  noSuchPartition,
  notMovable,
  nowhereToMove,
  oldHomeIsShared,
  partitionsUnknown,
  targetIsShared,
} from './home-problems.js';
import { PartitionCount } from './partition-count.js';
import { subscriptionPartsOf } from './subscription-row.js';

/** Second half of the advisory lock under which homes are given out. */
const ASSIGNMENT_LOCK = 2;

/** Subscriptions whose home it is, or was until a move that is not over yet; all but the one of `$2`. */
const USES = `
  SELECT p AS partition,
         count(home)::int AS homes,
         coalesce(bool_or(strict), false) AS "isStrict",
         coalesce(bool_or(being_left), false) AS "isBeingLeft"
    FROM generate_series(0, $1::int - 1) AS p
    LEFT JOIN (
      SELECT (status->>'partition')::int AS home,
             coalesce(spec->'delivery'->>'ordering' = 'strict', false) AS strict,
             false AS being_left
        FROM resources
       WHERE kind = 'Subscription' AND uid IS DISTINCT FROM $2::uuid
      UNION ALL
      SELECT (status->'move'->>'from')::int,
             coalesce(spec->'delivery'->>'ordering' = 'strict', false),
             true
        FROM resources
       WHERE kind = 'Subscription' AND uid IS DISTINCT FROM $2::uuid AND status->'move' IS NOT NULL
    ) AS used ON home = p
   GROUP BY p
   ORDER BY p`;

/**
 * Gives each subscription its home on `deliveries.v1`. Whoever decides in a transaction holds a lock until its end, so no
 * two decide by the same picture.
 */
@Injectable()
export class HomePartitions {
  constructor(
    @Inject(PartitionCount) private readonly partitions: PartitionCount,
    @Inject(Database) private readonly database: Database,
  ) {}

  /**
   * How many partitions there are. Kafka is asked anew when all those known are used, or one above them is wanted: a topic
   * that was just grown counts at once. Asked before the transaction, so that no lock is held while Kafka is slow.
   * @returns `undefined` while Kafka has never been reached
   * @throws StoreError
   */
  async count(wanted?: number): Promise<number | undefined> {
    const known = await this.partitions.current();
    if (known === undefined) return undefined;
    const isUnknown = wanted !== undefined && wanted >= known;
    const uses = isUnknown ? [] : await this.database.run((manager) => this.uses(manager, known, null));
    return freeHome(uses) === undefined ? this.partitions.latest() : known;
  }

  /** How many partitions there were when Kafka was last asked; `undefined` while it has never been reached. */
  get lastKnown(): number | undefined {
    return this.partitions.last;
  }

  /**
   * The home of a subscription that is created.
   * @throws Problem `kafka_unavailable` when the number of partitions is not known; `partition_shared`
   */
  async assign(manager: EntityManager, partitions: number | undefined, isStrict: boolean): Promise<number> {
    if (partitions === undefined) throw partitionsUnknown();
    await this.lock(manager);
    const home = bestHome(await this.uses(manager, partitions, null), isStrict);
    if (home === undefined) throw noHomeLeft(partitions, isStrict);
    return home;
  }

  /**
   * Where a subscription moves to.
   * @param wanted left out: a partition that nobody uses
   * @throws Problem `kafka_unavailable`, `not_movable`, `partition_shared`, `invalid_resource`
   */
  async assignNext(
    manager: EntityManager,
    row: ResourceRow,
    partitions: number | undefined,
    wanted: number | undefined,
  ): Promise<number> {
    const { spec, status } = subscriptionPartsOf(row);
    if (status.move) {
      throw notMovable(
        `It is moving from partition ${status.move.from} to ${status.partition} already. Repeat this request once "status.move" is gone.`,
      );
    }
    if (wanted === status.partition) throw notMovable(`Partition ${wanted} is its home already.`);
    if (partitions === undefined) throw partitionsUnknown();
    if (wanted !== undefined && wanted >= partitions) throw noSuchPartition(wanted, partitions);
    await this.lock(manager);
    const uses = await this.uses(manager, partitions, row.uid);
    // Its own home is free in this picture, which leaves it out.
    const others = uses.filter(({ partition }) => partition !== status.partition);
    const target = wanted ?? freeHome(others);
    if (target === undefined) throw nowhereToMove(partitions);
    assertEnterable(uses[target]!, spec.delivery.ordering === 'strict', partitions);
    return target;
  }

  /**
   * Strict order is asked of a subscription that has a home.
   * @throws Problem `partition_shared`
   */
  async assertOwn(manager: EntityManager, row: ResourceRow, partitions: number | undefined): Promise<void> {
    const { partition, move } = subscriptionPartsOf(row).status;
    await this.lock(manager);
    const last = Math.max(partition, move?.from ?? 0);
    const uses = await this.uses(manager, Math.max(partitions ?? 0, last + 1), row.uid);
    const others = uses[partition]!.homes;
    if (others > 0) {
      throw homeIsShared(row, partition, { others, hasFree: freeHome(uses) !== undefined, partitions });
    }
    if (move && uses[move.from]!.homes > 0) throw oldHomeIsShared(move.from);
  }

  /** Until the transaction ends: others that give out homes wait for that. */
  private async lock(manager: EntityManager): Promise<void> {
    await manager.query('SELECT pg_advisory_xact_lock($1, $2)', [LOCK_SPACE, ASSIGNMENT_LOCK]);
  }

  /** @param except the uid of a subscription that does not count */
  private uses(manager: EntityManager, partitions: number, except: string | null): Promise<PartitionUse[]> {
    return manager.query(USES, [partitions, except]);
  }
}

/** @throws Problem `partition_shared`, `not_movable` */
function assertEnterable(target: PartitionUse, isStrict: boolean, partitions: number): void {
  const { partition } = target;
  if (isStrict && target.homes > 0) throw targetIsShared(partition, partitions);
  if (target.isStrict) {
    throw notMovable(
      `Partition ${partition} belongs to a subscription with strict order, which shares it with nobody.`,
    );
  }
  if (target.isBeingLeft) {
    throw notMovable(`Another subscription is moving away from partition ${partition}. Wait until it has.`);
  }
}
