import { TOPIC_KINDS } from '../topics/topic-kinds.js';

const ENVIRONMENT = `Environment, as the services have it:
  QUITTANCE_KAFKA_BROKERS   host:port, separated by commas (default: 127.0.0.1:29092)
  QUITTANCE_TOPIC_PREFIX    begins every topic's name (default: quittance.)
  QUITTANCE_RETRY_LADDER    which retry topics there are (default: 5s,30s,5m,30m,2h,6h,12h,24h)

Exit codes: 0 done, or nothing to do; 1 failed or refused; 64 wrong command line; 78 wrong environment.`;

const kinds = TOPIC_KINDS.map(({ name, purpose }) => `  ${name.padEnd(20)} ${purpose}`).join('\n');

/** By command; the empty one is the program itself. */
export const USAGE = {
  '': `quittance <command>

  topics list           the topics: partitions, records, how far behind their readers are
  topics grow <topic>   adds partitions to a topic, while events flow

quittance <command> --help tells more about a command.

${ENVIRONMENT}`,
  topics: `quittance topics <command>

  list                  the topics: partitions, records, how far behind their readers are
  grow <topic>          adds partitions to a topic, while events flow

quittance topics <command> --help tells more about a command.

${ENVIRONMENT}`,
  'topics list': `quittance topics list [--json]

Shows every topic of the installation: its partitions, the records in it, and by how many records each consumer group
is behind. A lag on the retry topics is normal: those are retries that are not due.

  --json                one JSON array of {name, topic, partitions, records, lag, purpose};
                        partitions, records and lag are null for a topic that is missing

${ENVIRONMENT}`,
  'topics grow': `quittance topics grow <topic> --partitions <n> [--yes]

Makes a topic have <n> partitions, while events flow. Nothing is lost; the records that are there stay where they are.
Kafka cannot take partitions away again.

<topic> is one of
${kinds}
"retry" means all its topics.

  --partitions <n>      how many it shall have in all, at most 10000
  --yes                 needed for events and outcomes: without it the command says what would change, and does nothing

${ENVIRONMENT}`,
} as const;

export type HelpTopic = keyof typeof USAGE;
