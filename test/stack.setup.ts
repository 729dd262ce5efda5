import { startTestKafka, startTestPostgres } from '@quittance/testing';
import type { TestProject } from 'vitest/node';

/** One Kafka and one Postgres for all files of a run, on free ports; gone afterwards, however the run ends. */
export default async function startStores(project: TestProject): Promise<() => Promise<void>> {
  const [kafka, postgres] = await Promise.all([startTestKafka(), startTestPostgres()]);
  project.provide('kafkaBrokers', kafka.brokers);
  project.provide('postgresAdminUrl', postgres.adminUrl);
  return async () => {
    await Promise.all([kafka.remove(), postgres.remove()]);
  };
}
