import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['{apps,libs,bench,deploy,docs}/**/*.spec.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'stack',
          include: ['test/**/*.spec.ts'],
          exclude: ['test/api/**'],
          globalSetup: ['test/stack.setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Two cores: the files share one Kafka and one Postgres, and take turns.
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'api',
          include: ['test/api/*.spec.ts'],
          globalSetup: ['test/stack.setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
