import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which events are samples, so that no replay takes one for what it shows. A column without a default rewrites nothing.
 * Samples that were recorded before it are not known as such.
 */
export class TellSamplesApart implements MigrationInterface {
  readonly name = 'TellSamplesApart1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE audit.events ADD COLUMN test_subscription_uid text COLLATE "C"`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE audit.events DROP COLUMN test_subscription_uid`);
  }
}

/**
 * - A place in the log is one event's only as long as Kafka is the same: after it was built anew, the ledger has several of
 *   the same place. So the event is part of the key of `replay_items`.
 * - `sent_position`: how far a replay has got. Without it each batch begins among the entries of all that were sent before.
 *
 * Both tables have rows of replays under way only, or few, so the index is built in place.
 */
export class FollowReplays implements MigrationInterface {
  readonly name = 'FollowReplays1764700000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE audit.replay_items
        DROP CONSTRAINT replay_items_pkey,
        ADD PRIMARY KEY (replay_id, log_position, event_id, event_source)`);
    await runner.query(`ALTER TABLE audit.replays ADD COLUMN sent_position bigint`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE audit.replays DROP COLUMN sent_position`);
    await runner.query(`
      DELETE FROM audit.replay_items AS one USING audit.replay_items AS other
       WHERE one.replay_id = other.replay_id AND one.log_position = other.log_position
         AND (one.event_id, one.event_source) > (other.event_id, other.event_source)`);
    await runner.query(`
      ALTER TABLE audit.replay_items
        DROP CONSTRAINT replay_items_pkey,
        ADD PRIMARY KEY (replay_id, log_position)`);
  }
}
