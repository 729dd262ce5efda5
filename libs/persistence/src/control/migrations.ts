import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationClass } from '../data-source.js';

class CreateResources implements MigrationInterface {
  readonly name = 'CreateResources1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE SEQUENCE control.resource_versions`);
    await runner.query(`
      CREATE TABLE control.resources (
        kind text NOT NULL,
        namespace text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        uid uuid NOT NULL UNIQUE,
        labels jsonb NOT NULL,
        annotations jsonb NOT NULL,
        generation integer NOT NULL,
        resource_version bigint NOT NULL,
        spec jsonb NOT NULL,
        status jsonb,
        secrets jsonb,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (kind, namespace, name)
      )`);
    await runner.query(`
      CREATE INDEX resources_home_partition ON control.resources (((status->>'partition')::int))
       WHERE kind = 'Subscription'`);
    await runner.query(`
      CREATE TABLE control.audit_log (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        actor text NOT NULL,
        action text NOT NULL,
        kind text NOT NULL,
        namespace text NOT NULL,
        name text NOT NULL,
        uid uuid NOT NULL,
        before jsonb,
        after jsonb
      )`);
    await runner.query(`
      CREATE INDEX audit_log_resource ON control.audit_log (namespace, kind, name, seq)`);
    await runner.query(`
      CREATE TABLE control.outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        aggregatetype text NOT NULL,
        aggregateid text NOT NULL,
        type text NOT NULL,
        payload jsonb,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        published_at timestamptz
      )`);
    await runner.query(`CREATE INDEX outbox_unpublished ON control.outbox (seq) WHERE published_at IS NULL`);
    await runner.query(`CREATE INDEX outbox_published ON control.outbox (published_at)`);
    await runner.query(`CREATE INDEX outbox_aggregate ON control.outbox (aggregateid, seq)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE control.outbox, control.audit_log, control.resources`);
    await runner.query(`DROP SEQUENCE control.resource_versions`);
  }
}

/** An API key's row held the one credential itself; now it holds those, too, that were rotated away. */
class KeepFormerCredentials implements MigrationInterface {
  readonly name = 'KeepFormerCredentials1767000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE control.resources
         SET secrets = jsonb_build_object('credential', secrets, 'former', '[]'::jsonb)
       WHERE kind = 'ApiKey' AND NOT jsonb_exists(secrets, 'credential')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE control.resources SET secrets = secrets->'credential' WHERE kind = 'ApiKey'`);
  }
}

/** Every migration of schema `control`, oldest first. */
export const CONTROL_MIGRATIONS: readonly MigrationClass[] = [CreateResources, KeepFormerCredentials];
