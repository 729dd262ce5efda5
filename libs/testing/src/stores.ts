/** The stores that all test files of a run share; `test/stack.setup.ts` starts them. */
export interface TestStores {
  /** `host:port` of the one broker. */
  kafkaBrokers: string;
  /** URL of Postgres' superuser. */
  postgresAdminUrl: string;
}

declare module 'vitest' {
  export interface ProvidedContext extends TestStores {}
}
