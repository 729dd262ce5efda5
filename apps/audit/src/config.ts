import {
  adminKeyVariable,
  catalogStalenessVariable,
  consumerVariables,
  databaseUrlVariable,
  defineConfig,
  durationVariable,
  integerVariable,
  portVariable,
} from '@quittance/service';
import type * as z from 'zod';

/** What the service reads. `QUITTANCE_DATABASE_URL` is that of its own role. */
export const auditConfig = defineConfig({
  ...consumerVariables,
  /** Larger than elsewhere: a flush of the ledger takes up to 3,000 records, and repeating them changes nothing. */
  QUITTANCE_WINDOW_SPAN: integerVariable(10_000, 1, 100_000),
  QUITTANCE_PORT: portVariable(8082),
  QUITTANCE_MANAGEMENT_PORT: portVariable(9082),
  QUITTANCE_ADMIN_KEY: adminKeyVariable,
  QUITTANCE_DATABASE_URL: databaseUrlVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
  QUITTANCE_PROBE_INTERVAL: durationVariable('5m'),
});
export type AuditConfig = z.output<typeof auditConfig>;
