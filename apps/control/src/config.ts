import {
  adminKeyVariable,
  catalogStalenessVariable,
  databaseUrlVariable,
  defineConfig,
  durationVariable,
  integerVariable,
  masterKeyVariable,
  portVariable,
  serviceUrlVariable,
} from '@quittance/service';
import type * as z from 'zod';

/** What the service reads. `QUITTANCE_DATABASE_URL` is that of its own role. */
export const controlConfig = defineConfig({
  QUITTANCE_PORT: portVariable(8081),
  QUITTANCE_MANAGEMENT_PORT: portVariable(9081),
  QUITTANCE_ADMIN_KEY: adminKeyVariable,
  QUITTANCE_MASTER_KEY: masterKeyVariable,
  QUITTANCE_DATABASE_URL: databaseUrlVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
  /**
   * How long after the move of a subscription's home is published somebody may still write to the old one: longer than
   * `QUITTANCE_CATALOG_STALENESS` and the deadline of a publication (30 s) together.
   */
  QUITTANCE_MOVE_SETTLE: durationVariable('35s'),
  /** Where control reaches ingest and audit, to try a source or a subscription. */
  QUITTANCE_INGEST_URL: serviceUrlVariable('http://127.0.0.1:8080'),
  QUITTANCE_AUDIT_URL: serviceUrlVariable('http://127.0.0.1:8082'),
  /** As dispatchers have them: control only says how long a subscription may be paused or unreachable. */
  QUITTANCE_HOLD_SHARED: durationVariable('1h'),
  QUITTANCE_HOLD_EXCLUSIVE: durationVariable('3d'),
});
export type ControlConfig = z.output<typeof controlConfig>;

/** What `main.js setup` reads. It needs neither the admin key nor the master key, so it is not given them. */
export const setupConfig = defineConfig({
  /** Of the role that owns the schemas. */
  QUITTANCE_DATABASE_URL: databaseUrlVariable,
  /** What control and audit will connect with: their roles are made from these. */
  QUITTANCE_CONTROL_DATABASE_URL: databaseUrlVariable,
  QUITTANCE_AUDIT_DATABASE_URL: databaseUrlVariable,
  QUITTANCE_DELIVERIES_PARTITIONS: integerVariable(64, 1, 10_000),
  QUITTANCE_EVENTS_PARTITIONS: integerVariable(12, 1, 10_000),
  QUITTANCE_RETRY_PARTITIONS: integerVariable(12, 1, 10_000),
  QUITTANCE_REPLICATION_FACTOR: integerVariable(3, 1, 15),
  QUITTANCE_MIN_INSYNC_REPLICAS: integerVariable(2, 1, 15),
});
export type SetupConfig = z.output<typeof setupConfig>;
