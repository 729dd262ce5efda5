import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { MIGRATIONS_TABLE } from './data-source.js';
import type { SchemaDefinition } from './migrate.js';

export interface RoleCredentials {
  name: string;
  password: string;
}

/**
 * Role name and password, as they stand in a connection URL.
 * @throws TypeError when the URL names no role or no password
 */
export function credentialsOf(url: string): RoleCredentials {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed?.username || !parsed.password) {
    throw new TypeError(
      'A database URL must have the form postgres://role:password@host:port/database, with both role and password.',
    );
  }
  return { name: decodeURIComponent(parsed.username), password: decodeURIComponent(parsed.password) };
}

/** PostgreSQL's own default; every log-in pays for it. */
const SCRAM_ITERATIONS = 4096;

/** What PostgreSQL stores of a password. Sent instead of the password, so that no statement log ever holds that. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, SCRAM_ITERATIONS, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** Utility statements take no parameters: the server itself quotes identifiers (%I) and literals (%L). */
async function execute(owner: DataSource, template: string, ...values: string[]): Promise<void> {
  const places = values.map((_, index) => `$${index + 2}::text`);
  const rows: { statement: string }[] = await owner.query(
    `SELECT format(${['$1::text', ...places].join(', ')}) AS statement`,
    [template, ...values],
  );
  await owner.query(rows[0]!.statement);
}

/**
 * Creates the role, or gives an existing one the password of the URL.
 * @returns what was done
 */
export async function ensureRole(owner: DataSource, role: RoleCredentials): Promise<string> {
  const found: unknown[] = await owner.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role.name]);
  const verifier = scramVerifier(role.password);
  if (found.length === 0) {
    await execute(owner, 'CREATE ROLE %I LOGIN PASSWORD %L', role.name, verifier);
    return `created role ${role.name}`;
  }
  const rights: { may: boolean }[] = await owner.query(
    `SELECT rolsuper OR (rolcreaterole AND pg_has_role(current_user, $1, 'MEMBER WITH ADMIN OPTION')) AS may
       FROM pg_roles WHERE rolname = current_user`,
    [role.name],
  );
  // Where an administrator made the roles, their passwords are his.
  if (!rights[0]?.may) return `role ${role.name} exists; its password is managed elsewhere`;
  await execute(owner, 'ALTER ROLE %I LOGIN PASSWORD %L', role.name, verifier);
  return `role ${role.name} exists; password set`;
}

/** The schema belongs to the owner; the service's role gets in, and reads and writes what the owner creates there. */
export async function ensureSchema(owner: DataSource, schema: string, role: string): Promise<void> {
  await execute(owner, 'CREATE SCHEMA IF NOT EXISTS %I', schema);
  await execute(owner, 'REVOKE ALL ON SCHEMA %I FROM PUBLIC', schema);
  await execute(owner, 'GRANT USAGE ON SCHEMA %I TO %I', schema, role);
  const defaults = 'ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT';
  await execute(owner, `${defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I`, schema, role);
  await execute(owner, `${defaults} USAGE, SELECT ON SEQUENCES TO %I`, schema, role);
}

/** After migrations: tables that were there before the role was, and those that a service must not change. */
export async function grantTables(
  owner: DataSource,
  definition: SchemaDefinition,
  role: string,
): Promise<void> {
  const { schema } = definition;
  const all = 'IN SCHEMA %I TO %I';
  await execute(owner, `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES ${all}`, schema, role);
  await execute(owner, `GRANT USAGE, SELECT ON ALL SEQUENCES ${all}`, schema, role);
  for (const table of definition.appendOnly ?? []) {
    await execute(owner, 'REVOKE UPDATE, DELETE ON %I.%I FROM %I', schema, table, role);
  }
  await execute(owner, 'REVOKE INSERT, UPDATE, DELETE ON %I.%I FROM %I', schema, MIGRATIONS_TABLE, role);
}

/** After all schemas are there: what one service may read of another's schema, table by table. */
export async function grantReading(
  owner: DataSource,
  schema: string,
  tables: readonly string[],
  role: string,
): Promise<void> {
  await execute(owner, 'GRANT USAGE ON SCHEMA %I TO %I', schema, role);
  for (const table of tables) await execute(owner, 'GRANT SELECT ON %I.%I TO %I', schema, table, role);
}
