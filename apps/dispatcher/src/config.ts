import type * as z from 'zod';
import {
  catalogStalenessVariable,
  cidrListVariable,
  consumerVariables,
  defineConfig,
  durationVariable,
  flagVariable,
  integerVariable,
  masterKeyVariable,
  portVariable,
} from '@quittance/service';

export const dispatcherConfig = defineConfig({
  ...consumerVariables,
  /** Larger than elsewhere: on a shared partition others go on while one subscriber lets its requests hang. */
  QUITTANCE_WINDOW_SPAN: integerVariable(10_000, 1, 100_000),
  QUITTANCE_MANAGEMENT_PORT: portVariable(9084),
  QUITTANCE_MASTER_KEY: masterKeyVariable,
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
  /** Failures in a row (no answer, 5xx, 408, 429) after which a subscriber's breaker opens. */
  QUITTANCE_BREAKER_FAILURES: integerVariable(10, 1, 10_000),
  /** How long it is open first; doubled with each probe that fails. */
  QUITTANCE_BREAKER_PAUSE: durationVariable('5s'),
  QUITTANCE_BREAKER_LONGEST_PAUSE: durationVariable('5m'),
  /** Paused or unreachable for longer, a subscription is suspended, unless its own `hold` says otherwise. */
  QUITTANCE_HOLD_SHARED: durationVariable('1h'),
  /** The same on a home partition of its own. Records expire from `deliveries.v1` after 7 days. */
  QUITTANCE_HOLD_EXCLUSIVE: durationVariable('3d'),
  /** A subscription that has only failed for so long is disabled. */
  QUITTANCE_DISABLE_AFTER: durationVariable('5d'),
  /** Subscribers on this machine: for development only. */
  QUITTANCE_ALLOW_LOOPBACK: flagVariable(false),
  /** Addresses that no subscriber may have, whatever else allows them: the platform's own servers. */
  QUITTANCE_EGRESS_DENIED: cidrListVariable,
  /** Subscribers in private address ranges, for every namespace; one alone opens them in its egress rules. */
  QUITTANCE_ALLOW_PRIVATE: flagVariable(false),
});
export type DispatcherConfig = z.output<typeof dispatcherConfig>;
