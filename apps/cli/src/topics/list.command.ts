import type { ListInvocation } from '../command-line/parse.js';
import type { CliConfig } from '../config.js';
import { onCluster, type Cluster } from '../kafka/cluster.js';
import type { CliSurroundings } from '../surroundings.js';
import { renderTable } from './table.js';
import { TOPIC_KINDS, type TopicKind } from './topic-kinds.js';

interface ListedTopic {
  /** What `topics grow` calls it. */
  name: string;
  topic: string;
  /** `null`, as the next two: it is missing. */
  partitions: number | null;
  records: number | null;
  /** Records that each consumer group has not finished, by the group's id. */
  lag: Record<string, number> | null;
  purpose: string;
}

/** @throws CliError `kafka_unreachable` */
export async function listTopics(
  { json }: ListInvocation,
  config: CliConfig,
  { print, complain }: CliSurroundings,
): Promise<void> {
  const listed = await onCluster(config, async (cluster) => {
    const all = TOPIC_KINDS.flatMap((kind) =>
      kind.topicsOf(cluster.topics).map((topic) => ({ kind, topic })),
    );
    const sizes = await cluster.sizesOf(all.map(({ topic }) => topic));
    return Promise.all(
      all.map(({ kind, topic }, index) => describe(cluster, kind, topic, sizes[index]?.partitions ?? 0)),
    );
  });
  print(json ? JSON.stringify(listed, undefined, 2) : renderTable(HEAD, listed.map(rowOf)));
  const missing = listed.filter(({ partitions }) => partitions === null).length;
  if (missing > 0) {
    complain(
      `${missing} of ${listed.length} topics are missing. Run the set-up, which creates them, or correct ` +
        'QUITTANCE_KAFKA_BROKERS, QUITTANCE_TOPIC_PREFIX and QUITTANCE_RETRY_LADDER.',
    );
  }
}

const HEAD = ['NAME', 'TOPIC', 'PARTITIONS', 'RECORDS', 'LAG', 'WHAT IT IS FOR'];

function rowOf({ name, topic, partitions, records, lag, purpose }: ListedTopic): string[] {
  const behind = Object.entries(lag ?? {}).map(([group, count]) => `${group} ${count}`);
  return [name, topic, String(partitions ?? 'missing'), String(records ?? ''), behind.join(', '), purpose];
}

async function describe(
  cluster: Cluster,
  { name, purpose, readers }: TopicKind,
  topic: string,
  partitions: number,
): Promise<ListedTopic> {
  if (partitions === 0) return { name, topic, partitions: null, records: null, lag: null, purpose };
  const groups = readers.map((reader) => cluster.topics.group(reader));
  const [records, ...lags] = await Promise.all([
    cluster.recordsIn(topic),
    ...groups.map((group) => cluster.lagOf(group, topic)),
  ]);
  return {
    name,
    topic,
    partitions,
    records: Number(records),
    lag: Object.fromEntries(groups.map((group, index) => [group, Number(lags[index] ?? 0n)])),
    purpose,
  };
}
