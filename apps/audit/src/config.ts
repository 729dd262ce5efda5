import {
  adminKeyVariable,
  catalogStalenessVariable,
  consumerVariables,
  databaseUrlVariable,
  defineConfig,
  durationVariable,
  portVariable,
} from '@quittance/service';
import type * as z from 'zod';

/** What the service reads. `QUITTANCE_DATABASE_URL` is that of its own role. */
export const auditConfig = defineConfig({
  ...consumerVariables,
  QUITTANCE_PORT: portVariable(8082),
  QUITTANCE_MANAGEMENT_PORT: portVariable(9082),
  QUITTANCE_ADMIN_KEY: adminKeyVariable,
  QUITTANCE_DATABASE_URL: databaseUrlVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
  QUITTANCE_PROBE_INTERVAL: durationVariable('5m'),
});
export type AuditConfig = z.output<typeof auditConfig>;
