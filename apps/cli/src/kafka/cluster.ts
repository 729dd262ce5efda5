import { Topics } from '@quittance/contracts';
import { KafkaAdmin, KafkaClient } from '@quittance/kafka';
import type { CliConfig } from '../config.js';
import { CliError } from '../errors.js';
import type { TopicSize } from '../topics/growth-plan.js';

/** What the commands ask of Kafka. Each call ends within a bounded time. @throws CliError */
export interface Cluster {
  topics: Topics;
  /** In the order of the names; a topic that is missing has 0 partitions. */
  sizesOf: (names: readonly string[]) => Promise<TopicSize[]>;
  /** The records in a topic. In a compacted one, those that were compacted away are counted, too. */
  recordsIn: (topic: string) => Promise<bigint>;
  /** By how many records a consumer group is behind in a topic. */
  lagOf: (groupId: string, topic: string) => Promise<bigint>;
  /** Adds partitions, and waits until each has a leader. */
  grow: (topic: string, partitions: number) => Promise<void>;
}

/** Longer than the client tries a broker that refuses, and shorter than a person's patience. */
const ANSWER_TIMEOUT_MS = 10_000;
/** As long as the set-up waits for a new topic's leaders, and a margin. */
const GROWTH_TIMEOUT_MS = 45_000;
const CLOSE_TIMEOUT_MS = 1_000;

/** Gives `work` the cluster that the configuration names, and lets go of it afterwards. */
export async function onCluster<T>(config: CliConfig, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  let trouble: string | undefined;
  const client = new KafkaClient(
    { brokers: config.kafkaBrokers, clientId: 'quittance-cli' },
    // Where nothing answers at all there is no error, only these lines.
    (_level, message, extra) => (trouble = typeof extra['error'] === 'string' ? extra['error'] : message),
  );
  const admin = new KafkaAdmin(client);
  const brokers = config.kafkaBrokers.join(', ');
  const unreachable = (reason: string, cause?: unknown): CliError =>
    new CliError(
      'kafka_unreachable',
      `Kafka at ${brokers} does not answer: ${reason}. Is it running, and is QUITTANCE_KAFKA_BROKERS right?`,
      { cause },
    );
  const answered = async <R>(call: Promise<R>): Promise<R> => {
    const silence = (): CliError =>
      unreachable(
        `nothing within ${ANSWER_TIMEOUT_MS / 1000} s${trouble === undefined ? '' : ` (${trouble})`}`,
      );
    try {
      return await within(ANSWER_TIMEOUT_MS, call, silence);
    } catch (error) {
      if (error instanceof CliError) throw error;
      if (!isAnswer(error)) throw unreachable(reasonOf(error), error);
      throw new CliError(
        'kafka_refused',
        `Kafka at ${brokers} cannot say: ${reasonOf(error)}. Try again in a moment.`,
        { cause: error },
      );
    }
  };
  try {
    return await work({
      topics: new Topics(config.topicPrefix, config.retryLadder),
      sizesOf: async (names) => {
        const found = await answered(admin.describeTopics([...names]));
        const sizes = new Map(found.map(({ name, partitions }) => [name, partitions]));
        return names.map((name) => ({ name, partitions: sizes.get(name) ?? 0 }));
      },
      recordsIn: async (topic) => {
        const partitions = await answered(admin.topicLag(topic));
        return sum(partitions.values(), ({ beginning, end }) => end - beginning);
      },
      lagOf: async (groupId, topic) => {
        const partitions = await answered(admin.topicLag(topic, groupId));
        return sum(
          partitions.values(),
          ({ committed, beginning, end }) =>
            // What lies before the beginning has expired: it is nobody's to read any more.
            end - (committed !== undefined && committed > beginning ? committed : beginning),
        );
      },
      grow: (topic, partitions) => grown(admin, topic, partitions),
    });
  } finally {
    await within(CLOSE_TIMEOUT_MS, admin.close(), () => new Error('It does not close.')).catch(
      () => undefined,
    );
  }
}

async function grown(admin: KafkaAdmin, topic: string, partitions: number): Promise<void> {
  const repeat = 'Look with "quittance topics list"; repeating the command is harmless.';
  try {
    await within(
      GROWTH_TIMEOUT_MS,
      admin.growTopic(topic, partitions),
      () =>
        new CliError(
          'kafka_unreachable',
          `${topic}: not every partition has a leader after ${GROWTH_TIMEOUT_MS / 1000} s. ${repeat}`,
        ),
    );
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('kafka_refused', `${topic} was not grown: ${reasonOf(error)}. ${repeat}`, {
      cause: error,
    });
  }
}

/** Rejects with `tooLate()` when `promise` is not settled in time. What it does then happens unseen. */
async function within<T>(ms: number, promise: Promise<T>, tooLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(tooLate()), ms);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function sum<T>(items: Iterable<T>, valueOf: (item: T) => bigint): bigint {
  let total = 0n;
  for (const item of items) total += valueOf(item);
  return total;
}

/** Whether a broker has answered with an error of its protocol. */
function isAnswer(error: unknown): boolean {
  const cause = innermost(error);
  return cause instanceof Error && 'retriable' in cause && 'type' in cause && 'code' in cause;
}

/** The innermost message says most: `connect ECONNREFUSED 127.0.0.1:29092`. */
export function reasonOf(error: unknown): string {
  const cause = innermost(error);
  return (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, '');
}

function innermost(error: unknown): unknown {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  if (reason instanceof Error && 'errors' in reason && Array.isArray(reason.errors)) {
    return (reason.errors as unknown[]).at(0) ?? reason;
  }
  return reason;
}
