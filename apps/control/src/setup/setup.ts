import { setTimeout as sleep } from 'node:timers/promises';
import { Topics } from '@quittance/contracts';
import { KafkaAdmin, KafkaClient } from '@quittance/kafka';
import { AUDIT_SCHEMA, CONTROL_SCHEMA, provisionDatabase } from '@quittance/persistence';
import { ConfigError } from '@quittance/service';
import type { SetupConfig } from '../config.js';

/** Told what happens, a line each. */
export type Report = (line: string) => void;

const PATIENCE_MS = 60_000;
const PAUSE_MS = 1_000;

/**
 * Creates what the services need: topics, roles, schemas. Repeating it is harmless, also at the same time.
 * @throws ConfigError; what went wrong last, when Kafka or the database could not be reached within 60 s, or refused
 */
export async function setUp(config: SetupConfig, report: Report): Promise<void> {
  assertWritable(config);
  await setUpTopics(config, report);
  await patiently('the database', report, () =>
    provisionDatabase({
      ownerUrl: config.databaseUrl,
      services: [
        { definition: CONTROL_SCHEMA, url: config.controlDatabaseUrl },
        { definition: AUDIT_SCHEMA, url: config.auditDatabaseUrl },
      ],
      report,
    }),
  );
}

/** Kafka creates such topics without a word, and then takes no record. */
function assertWritable({ minInsyncReplicas, replicationFactor }: SetupConfig): void {
  if (minInsyncReplicas <= replicationFactor) return;
  throw new ConfigError([
    {
      variable: 'QUITTANCE_MIN_INSYNC_REPLICAS',
      expected: `must be at most QUITTANCE_REPLICATION_FACTOR, which is ${replicationFactor}`,
    },
  ]);
}

async function setUpTopics(config: SetupConfig, report: Report): Promise<void> {
  const topics = new Topics(config.topicPrefix, config.retryLadder);
  const specs = topics.specs({
    deliveriesPartitions: config.deliveriesPartitions,
    eventsPartitions: config.eventsPartitions,
    retryPartitions: config.retryPartitions,
    replicationFactor: config.replicationFactor,
    minInsyncReplicas: config.minInsyncReplicas,
  });
  const admin = new KafkaAdmin(
    new KafkaClient({ brokers: config.kafkaBrokers, clientId: 'quittance-setup' }),
  );
  try {
    const created = await patiently(`Kafka at ${config.kafkaBrokers.join(', ')}`, report, () =>
      admin.ensureTopics(specs, config.replicationFactor),
    );
    for (const name of created) report(`created topic ${name}`);
    const existing = specs.length - created.length;
    if (existing > 0) report(`${existing} topics were there already`);
  } finally {
    await admin.close();
  }
}

/** Repeats what may be repeated, for 60 s, and says so. */
async function patiently<T>(what: string, report: Report, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const left = deadline - performance.now();
      if (!isWorthRepeating(error) || left <= 0) throw error;
      report(`waiting for ${what} (${reasonOf(error)}), ${Math.ceil(left / 1000)} s more`);
      await sleep(Math.min(PAUSE_MS, left));
    }
  }
}

/** Ours say so themselves. Of the Kafka client's own errors those about connections matter here: they may pass. */
function isWorthRepeating(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Asked again it will be the same: the role's password, a missing right.
  if ('code' in error && error.code === 'store_misconfigured') return false;
  return 'retryable' in error ? error.retryable === true : !(error instanceof TypeError);
}

/** The innermost message says most: `connect ECONNREFUSED 127.0.0.1:25432`. */
export function reasonOf(error: unknown): string {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  // Several at once, as when topics are created.
  if (reason instanceof Error && 'errors' in reason && Array.isArray(reason.errors)) {
    reason = (reason.errors as unknown[]).at(0) ?? reason;
  }
  return reason instanceof Error ? reason.message : String(reason);
}
