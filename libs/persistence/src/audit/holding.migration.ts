import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Deliveries that are held, and replays.
 *
 * `latest` becomes `news`, with three bits for the kind instead of two, and `state` tells `held` apart. Both change every
 * row, so they change in one statement: Postgres then writes `deliveries` anew once, with its indexes. That takes as much
 * free disk as they have, and (measured on two cores) 6 s per million rows, during which the table is locked: audit
 * waits and catches up after it, and no event waits. An instance of the release before does not find the column it knows,
 * and waits too, instead of writing what would be misread.
 *
 * `replay_items` are what a replay has yet to send. They are collected first and then taken in the order of the log: an
 * index of all events in that order would be paid for by every event, replayed or not.
 */
export class HoldDeliveries implements MigrationInterface {
  readonly name = 'HoldDeliveries1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE audit.deliveries RENAME COLUMN latest TO news`);
    await runner.query(`
      ALTER TABLE audit.deliveries
        DROP COLUMN state,
        ALTER COLUMN news TYPE bigint USING
          ((news >> 2) << 3) | CASE news & 3 WHEN 3 THEN 4 ELSE news & 3 END,
        ADD COLUMN state text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
          CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN news & 7 = 4 THEN 'dead'
               WHEN news & 7 = 3 THEN 'held' ELSE 'pending' END
        ) STORED`);
    await runner.query(`
      CREATE TABLE audit.replays (
        id text COLLATE "C" PRIMARY KEY,
        namespace text COLLATE "C" NOT NULL,
        subscription text COLLATE "C" NOT NULL,
        subscription_uid text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        since timestamptz,
        until timestamptz,
        rate integer NOT NULL,
        state text COLLATE "C" NOT NULL DEFAULT 'running',
        settled boolean NOT NULL DEFAULT false,
        fence json,
        cursor json,
        collected boolean NOT NULL DEFAULT false,
        total integer NOT NULL DEFAULT 0,
        done integer NOT NULL DEFAULT 0,
        waiting text,
        next_at timestamptz NOT NULL,
        started_at timestamptz NOT NULL,
        finished_at timestamptz,
        created_by text NOT NULL,
        error text
      ) WITH (fillfactor = 50)`);
    await runner.query(
      `CREATE INDEX replays_newest ON audit.replays (namespace, subscription, started_at, id)`,
    );
    await runner.query(`
      CREATE UNIQUE INDEX replays_under_way ON audit.replays (namespace, subscription_uid, kind)
       WHERE state = 'running'`);
    await runner.query(`CREATE INDEX replays_unsettled ON audit.replays (id) WHERE NOT settled`);
    await runner.query(`
      CREATE TABLE audit.replay_items (
        replay_id text COLLATE "C" NOT NULL,
        log_position bigint NOT NULL,
        event_id text COLLATE "C" NOT NULL,
        event_source text COLLATE "C" NOT NULL,
        PRIMARY KEY (replay_id, log_position)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit.replay_items, audit.replays`);
    await runner.query(`
      ALTER TABLE audit.deliveries
        DROP COLUMN state,
        ALTER COLUMN news TYPE bigint USING
          ((news >> 3) << 2) | CASE WHEN news & 7 = 4 THEN 3 WHEN news & 7 = 3 THEN 2 ELSE news & 7 END,
        ADD COLUMN state text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
          CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN news & 3 = 3 THEN 'dead' ELSE 'pending' END
        ) STORED`);
    await runner.query(`ALTER TABLE audit.deliveries RENAME COLUMN news TO latest`);
    await runner.query(`
      CREATE INDEX deliveries_unsettled ON audit.deliveries (namespace, state, created_at, id)
       WHERE state <> 'delivered'`);
  }
}

/**
 * The index that went with the column `state`, and two more. They are built CONCURRENTLY, after the lock.
 *
 * - `deliveries_unsettled_of_subscription`: how much of a subscription is pending, held and dead.
 * - `deliveries_held`: what is held, by subscription, oldest first. It has no other entries, so it costs nothing otherwise.
 */
export class IndexHeldDeliveries implements MigrationInterface {
  readonly name = 'IndexHeldDeliveries1764600000001';
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET lock_timeout = '5min'`);
    for (const [name, definition] of Object.entries(INDEXES)) {
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS audit.${name}`);
      await runner.query(`CREATE INDEX CONCURRENTLY ${name} ON audit.deliveries ${definition}`);
    }
    await runner.query(`RESET lock_timeout`);
    await runner.query(`ANALYZE audit.deliveries`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(INDEXES)) {
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS audit.${name}`);
    }
  }
}

const INDEXES = {
  deliveries_unsettled: `(namespace, state, created_at, id) WHERE state <> 'delivered'`,
  deliveries_unsettled_of_subscription: `(namespace, subscription, state, created_at, id) WHERE state <> 'delivered'`,
  deliveries_held: `(namespace, subscription, subscription_uid, created_at, id) WHERE state = 'held'`,
} as const;
