import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationClass } from '../data-source.js';
import { HoldDeliveries, IndexHeldDeliveries } from './holding.migration.js';
import { AddPruning } from './pruning.migration.js';
import { AddRejections } from './rejections.migration.js';
import { FollowReplays, TellSamplesApart } from './replaying.migration.js';

/**
 * The ledger. Every statement of its writer is an upsert that merges, so the order and the repetition of
 * records do not matter.
 *
 * Text is compared by bytes (`COLLATE "C"`) wherever it is a key: faster than a language's order, and safe
 * from changes of the operating system's collations.
 *
 * What a high rate costs is index entries, so each index serves a query that has no other:
 * - events: the key begins (namespace, id) because the API asks for an event by its id, and with time-ordered
 *   ids neighbours share pages. `events_newest` and `events_newest_of_type` are the two lists.
 * - deliveries: `deliveries_of_event` for the story of one event; `deliveries_newest` and
 *   `deliveries_newest_of_subscription` for lists; `deliveries_unsettled` finds the few pending and dead ones
 *   among millions of delivered ones, and has no entry for those.
 *
 * A row is updated where its records came in different flushes. The spare tenth of each page lets most of
 * those stay on their page; an update that changes no indexed column then writes no index entry at all (HOT).
 * That holds for failed attempts (`latest`, `next_attempt_at`); settling a pending delivery leaves the partial
 * index, and pays for all of them.
 *
 * Retention by partitions: attempts and duplicates carry their own time, which is the same in every repetition
 * of their record; with `at` appended to their keys they can be partitioned by range and dropped by the month.
 * Events and deliveries are upserted by keys without a time, so their partitions are by hash of the key, each
 * cleared by time along its `_newest` index; range partitions become possible once every outcome bears the time
 * of the event's acceptance.
 */
class CreateLedger implements MigrationInterface {
  readonly name = 'CreateLedger1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit.events (
        namespace text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        source text COLLATE "C" NOT NULL,
        accepted_at timestamptz,
        log_position bigint,
        revision bigint,
        type text COLLATE "C",
        subject text,
        time text,
        data_schema text,
        content_type text,
        extensions json,
        traceparent text,
        data bytea,
        routed_at timestamptz,
        routed_revision bigint,
        skipped json,
        skipped_count integer,
        PRIMARY KEY (namespace, id, source)
      ) WITH (fillfactor = 90)`);
    await runner.query(`
      CREATE INDEX events_newest ON audit.events (namespace, accepted_at, log_position)
       WHERE accepted_at IS NOT NULL`);
    await runner.query(`
      CREATE INDEX events_newest_of_type ON audit.events (namespace, type, accepted_at, log_position)
       WHERE accepted_at IS NOT NULL`);
    await runner.query(`
      CREATE TABLE audit.deliveries (
        id text COLLATE "C" PRIMARY KEY,
        namespace text COLLATE "C" NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        event_source text COLLATE "C" NOT NULL,
        subscription text COLLATE "C" NOT NULL,
        subscription_uid text COLLATE "C" NOT NULL,
        created_at timestamptz NOT NULL,
        delivered_at timestamptz,
        latest bigint NOT NULL,
        next_attempt_at timestamptz,
        error_code text COLLATE "C",
        error_message text COLLATE "C",
        state text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
          CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN latest & 3 = 3 THEN 'dead' ELSE 'pending' END
        ) STORED
      ) WITH (fillfactor = 90)`);
    await runner.query(`CREATE INDEX deliveries_of_event ON audit.deliveries (namespace, event_id)`);
    await runner.query(`CREATE INDEX deliveries_newest ON audit.deliveries (namespace, created_at, id)`);
    await runner.query(`
      CREATE INDEX deliveries_newest_of_subscription
          ON audit.deliveries (namespace, subscription, created_at, id)`);
    await runner.query(`
      CREATE INDEX deliveries_unsettled ON audit.deliveries (namespace, state, created_at, id)
       WHERE state <> 'delivered'`);
    await runner.query(`
      CREATE TABLE audit.attempts (
        delivery_id text COLLATE "C" NOT NULL,
        attempt_id text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        at timestamptz NOT NULL,
        status integer,
        duration_ms integer,
        error_code text,
        error_message text,
        response text,
        PRIMARY KEY (delivery_id, attempt_id)
      )`);
    await runner.query(`
      CREATE TABLE audit.duplicates (
        namespace text COLLATE "C" NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        event_source text COLLATE "C" NOT NULL,
        mark text COLLATE "C" NOT NULL,
        at timestamptz NOT NULL,
        conflict boolean NOT NULL,
        PRIMARY KEY (namespace, event_id, event_source, mark)
      )`);
    await runner.query(`
      CREATE TABLE audit.retry_requests (
        delivery_id text COLLATE "C" NOT NULL,
        requested_at timestamptz NOT NULL,
        requested_by text NOT NULL,
        PRIMARY KEY (delivery_id, requested_at)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP TABLE audit.retry_requests, audit.duplicates, audit.attempts, audit.deliveries, audit.events`,
    );
  }
}

/**
 * Every migration of schema `audit`, oldest first. A migration's `name` is spelled out and ends in its
 * time in epoch milliseconds: `readonly name = 'CreateLedger1764000000000'`.
 */
export const AUDIT_MIGRATIONS: readonly MigrationClass[] = [
  CreateLedger,
  AddRejections,
  AddPruning,
  HoldDeliveries,
  IndexHeldDeliveries,
  TellSamplesApart,
  FollowReplays,
];
