import { join, resolve } from 'node:path';
import { runnerImport } from 'vite';
import type * as contracts from '../libs/contracts/src/index.ts';
import type * as kafka from '../libs/kafka/src/index.ts';
import type { WatchReply, WatchRequest } from './messages.ts';
import { serveParent } from './worker.ts';

const ROOT = resolve(import.meta.dirname, '..');

/** The libraries' code, with its paths, is what Node cannot load as it stands. */
async function library<T>(name: string): Promise<T> {
  const { module } = await runnerImport<T>(join(ROOT, 'libs', name, 'src', 'index.ts'), {
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    resolve: { tsconfigPaths: true },
  });
  return module;
}

interface Watched {
  topics: contracts.Topics;
  admin: kafka.KafkaAdmin;
}

async function open({ brokers, prefix, ladder }: Extract<WatchRequest, { type: 'open' }>): Promise<Watched> {
  const { Topics, parseLadder } = await library<typeof contracts>('contracts');
  const { KafkaAdmin, KafkaClient } = await library<typeof kafka>('kafka');
  return {
    topics: ladder === undefined ? new Topics(prefix) : new Topics(prefix, parseLadder(ladder)),
    admin: new KafkaAdmin(new KafkaClient({ brokers: [brokers], clientId: 'quittance-bench' })),
  };
}

let watched: Watched | undefined;

async function answer(request: WatchRequest): Promise<WatchReply> {
  if (request.type === 'open') {
    watched = await open(request);
    return { type: 'opened' };
  }
  if (!watched) throw new Error('Nothing is watched yet.');
  const { admin, topics } = watched;
  if (request.type === 'retries') {
    const ends = await Promise.all(
      topics.ladder.map(async ({ name }) => {
        const partitions = await admin.topicLag(topics.deliveriesRetry(name));
        let written = 0;
        for (const { end } of partitions.values()) written += Number(end);
        return written;
      }),
    );
    return { type: 'retries', written: ends.reduce((sum, end) => sum + end, 0) };
  }
  const partitions = await admin.topicLag(topics.deliveries, topics.group('dispatcher'));
  let records = 0;
  for (const { committed, beginning, end } of partitions.values()) {
    records += Number(end - (committed ?? beginning));
  }
  return { type: 'backlog', records };
}

// What another process of this measurement knows of Kafka must not cost the one that measures its time.
serveParent<WatchRequest, WatchReply>(answer);
