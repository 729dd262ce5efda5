import type * as z from 'zod';
import {
  catalogStalenessVariable,
  cidrListVariable,
  consumerVariables,
  defineConfig,
  flagVariable,
  masterKeyVariable,
  portVariable,
} from '@quittance/service';

export const dispatcherConfig = defineConfig({
  ...consumerVariables,
  QUITTANCE_MANAGEMENT_PORT: portVariable(9084),
  QUITTANCE_MASTER_KEY: masterKeyVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
  /** Subscribers on this machine: for development only. */
  QUITTANCE_ALLOW_LOOPBACK: flagVariable(false),
  /** Addresses that no subscriber may have, whatever else allows them: the platform's own servers. */
  QUITTANCE_EGRESS_DENIED: cidrListVariable,
  /** Subscribers in private address ranges, for every namespace; one alone opens them in its egress rules. */
  QUITTANCE_ALLOW_PRIVATE: flagVariable(false),
});
export type DispatcherConfig = z.output<typeof dispatcherConfig>;
