import { catalogStalenessVariable, consumerVariables, defineConfig, portVariable } from '@quittance/service';
import type * as z from 'zod';

export const routerConfig = defineConfig({
  ...consumerVariables,
  QUITTANCE_MANAGEMENT_PORT: portVariable(9083),
  QUITTANCE_CATALOG_STALENESS: catalogStalenessVariable,
});
export type RouterConfig = z.output<typeof routerConfig>;
