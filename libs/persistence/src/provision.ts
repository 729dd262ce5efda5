import { createDataSource } from './data-source.js';
import { runMigrations, withSetupLock, type SchemaDefinition } from './migrate.js';
import { credentialsOf, ensureRole, ensureSchema, grantReading, grantTables } from './roles.js';
import { withStoreErrors } from './store-error.js';

export interface ProvisionSettings {
  /** Of the role that owns the schemas; it needs CREATEROLE, and CREATE on the database. */
  ownerUrl: string;
  /**
   * For each schema the URL its service connects with: its role gets reading and writing there, reading of the tables
   * that another schema lets it read, and nothing else.
   */
  services: readonly { definition: SchemaDefinition; url: string }[];
  /** Told what was done, a line each. */
  report: (line: string) => void;
}

/**
 * Brings the database to what this release needs: roles, schemas, migrations, grants. Repeating it is
 * harmless, and concurrent runs take turns.
 * @throws StoreError when the database refuses, TypeError when a URL is unusable
 */
export async function provisionDatabase({ ownerUrl, services, report }: ProvisionSettings): Promise<void> {
  const ownerName = credentialsOf(ownerUrl).name;
  const owner = createDataSource({
    url: ownerUrl,
    schema: 'control',
    entities: [],
    // One connection waits, for as long as it takes, behind another set-up; one works.
    poolSize: 2,
    statementTimeoutMs: 0,
    lockTimeoutMs: 0,
    applicationName: 'quittance-setup',
  });
  await withStoreErrors(async () => {
    await owner.initialize();
    try {
      await withSetupLock(owner, async () => {
        for (const { definition, url } of services) {
          const { schema } = definition;
          const role = credentialsOf(url);
          report(
            role.name === ownerName ? `role ${role.name} owns ${schema}` : await ensureRole(owner, role),
          );
          await ensureSchema(owner, schema, role.name);
          const ran = await runMigrations(ownerUrl, definition);
          report(
            ran.length > 0 ? `schema ${schema}: ran ${ran.join(', ')}` : `schema ${schema} is up to date`,
          );
          if (role.name !== ownerName) await grantTables(owner, definition, role.name);
        }
        // Roles and tables of every schema are there now, whatever the order of the services.
        for (const { definition } of services) {
          for (const reader of services) {
            const tables = definition.readableElsewhere?.[reader.definition.schema] ?? [];
            const role = credentialsOf(reader.url).name;
            if (tables.length > 0 && role !== ownerName) {
              await grantReading(owner, definition.schema, tables, role);
            }
          }
        }
      });
    } finally {
      await owner.destroy();
    }
  });
}
