import {
  adminKeyVariable,
  catalogStalenessVariable,
  defineConfig,
  masterKeyVariable,
  portVariable,
} from '@quittance/service';
import type * as z from 'zod';

export const ingestConfig = defineConfig({
  QUITTANCE_PORT: portVariable(8080),
  QUITTANCE_MANAGEMENT_PORT: portVariable(9080),
  QUITTANCE_ADMIN_KEY: adminKeyVariable,
  /** Opens the secrets of sources. */
  QUITTANCE_MASTER_KEY: masterKeyVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
});

export type IngestConfig = z.output<typeof ingestConfig>;
/** Injects the `IngestConfig`. */
export const INGEST_CONFIG = Symbol('INGEST_CONFIG');
