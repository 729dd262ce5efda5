import type * as z from 'zod';
import {
  catalogStalenessVariable,
  defineConfig,
  durationVariable,
  flagVariable,
  integerVariable,
  masterKeyVariable,
  portVariable,
} from '@quittance/service';

export const dispatcherConfig = defineConfig({
  QUITTANCE_MANAGEMENT_PORT: portVariable(9084),
  QUITTANCE_MASTER_KEY: masterKeyVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
  /** Subscribers on this machine: for development only. */
  QUITTANCE_ALLOW_LOOPBACK: flagVariable(false),
  /** Subscribers in private address ranges. */
  QUITTANCE_ALLOW_PRIVATE: flagVariable(false),
  /** Most offsets between a partition's committed one and the highest in flight. */
  QUITTANCE_WINDOW_SPAN: integerVariable(1000, 1, 100_000),
  /** Record bytes in flight in this process. */
  QUITTANCE_BYTE_BUDGET: integerVariable(256 * 1024 * 1024, 1024 * 1024, 64 * 1024 * 1024 * 1024),
  /** After this much silence the group gives a member's partitions to others. */
  QUITTANCE_SESSION_TIMEOUT: durationVariable('10s'),
});
export type DispatcherConfig = z.output<typeof dispatcherConfig>;
