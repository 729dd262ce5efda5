import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What ingest refused, and when keys were used. New tables only, so nothing waits for it.
 *
 * - rejections: `rejections_newest` is the list, and the way of pruning. A namespace has at most some 10,000 of them, so
 *   filters need no index of their own.
 * - key_usage: a row per credential that ever was; too few for an index.
 */
export class AddRejections implements MigrationInterface {
  readonly name = 'AddRejections1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit.rejections (
        id text COLLATE "C" PRIMARY KEY,
        namespace text COLLATE "C" NOT NULL,
        at timestamptz NOT NULL,
        source text COLLATE "C",
        api_key text COLLATE "C",
        method text NOT NULL,
        path text NOT NULL,
        address text NOT NULL,
        user_agent text,
        content_type text,
        status integer NOT NULL,
        code text COLLATE "C" NOT NULL,
        reason text NOT NULL,
        errors json,
        trace_id text,
        body_bytes integer NOT NULL,
        body bytea,
        suppressed integer NOT NULL
      )`);
    await runner.query(`CREATE INDEX rejections_newest ON audit.rejections (namespace, at, id)`);
    // Each use rewrites a row: with room on the page that needs no new index entry.
    await runner.query(`
      CREATE TABLE audit.key_usage (
        uid text COLLATE "C" NOT NULL,
        credential_id text COLLATE "C" NOT NULL,
        namespace text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        last_used_at timestamptz NOT NULL,
        PRIMARY KEY (uid, credential_id)
      ) WITH (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit.key_usage, audit.rejections`);
  }
}
