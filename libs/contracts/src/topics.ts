import { DEFAULT_LADDER, type LadderStep } from './retry-ladder.js';

/** What a topic must look like on the broker. `config` holds Kafka topic configuration entries. */
export interface TopicSpec {
  name: string;
  partitions: number;
  config: Record<string, string>;
}

export interface TopicSizes {
  /** Partitions of `deliveries.v1`: one home per subscription while they last. */
  deliveriesPartitions: number;
  /** Partitions of `events.v1` and `outcomes.v1`: the upper bound for router and audit instances. */
  eventsPartitions: number;
  retryPartitions: number;
  replicationFactor: number;
  minInsyncReplicas: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Bodies are at most 1 MiB; a record adds headers and, for structured CloudEvents, the envelope. */
const MAX_MESSAGE_BYTES = 3 * 1024 * 1024;

/** The only place that spells topic names. */
export class Topics {
  readonly config: string;
  readonly subscriptionState: string;
  readonly events: string;
  readonly deliveries: string;
  readonly deliveriesDlq: string;
  readonly outcomes: string;
  private readonly retries: ReadonlyMap<string, string>;

  /**
   * @param prefix put before every name, with its trailing dot
   * @param ladder the delays for which a retry topic exists
   */
  constructor(
    readonly prefix = 'quittance.',
    readonly ladder: readonly LadderStep[] = DEFAULT_LADDER,
  ) {
    this.config = `${prefix}config.v1`;
    this.subscriptionState = `${prefix}subscription-state.v1`;
    this.events = `${prefix}events.v1`;
    this.deliveries = `${prefix}deliveries.v1`;
    this.deliveriesDlq = `${prefix}deliveries.dlq.v1`;
    this.outcomes = `${prefix}outcomes.v1`;
    this.retries = new Map(ladder.map((step) => [step.name, `${prefix}deliveries.retry.${step.name}.v1`]));
  }

  /** @throws RangeError when the ladder has no such step */
  deliveriesRetry(stepName: string): string {
    const topic = this.retries.get(stepName);
    if (!topic) throw new RangeError(`The retry ladder has no step "${stepName}".`);
    return topic;
  }

  /** A consumer group's id: its service and what it reads. */
  group(role: string): string {
    return `${this.prefix}${role}`;
  }

  /** Every topic, as it has to be created. */
  specs(sizes: TopicSizes): TopicSpec[] {
    const durable = { 'min.insync.replicas': String(sizes.minInsyncReplicas) };
    const kept = (days: number): Record<string, string> => ({
      ...durable,
      'cleanup.policy': 'delete',
      'retention.ms': String(days * DAY_MS),
      // A backlog must expire by age only: size limits would delete what nobody has read yet.
      'retention.bytes': '-1',
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      // Retry delays count from the append, so the broker's clock decides, not the producer's.
      'message.timestamp.type': 'LogAppendTime',
      'unclean.leader.election.enable': 'false',
    });
    const compacted: Record<string, string> = {
      ...durable,
      'cleanup.policy': 'compact',
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      'unclean.leader.election.enable': 'false',
    };
    return [
      { name: this.config, partitions: 1, config: compacted },
      { name: this.subscriptionState, partitions: 1, config: compacted },
      { name: this.events, partitions: sizes.eventsPartitions, config: kept(7) },
      { name: this.deliveries, partitions: sizes.deliveriesPartitions, config: kept(7) },
      ...this.ladder.map((step) => ({
        name: this.deliveriesRetry(step.name),
        partitions: sizes.retryPartitions,
        config: kept(7),
      })),
      { name: this.deliveriesDlq, partitions: sizes.retryPartitions, config: kept(30) },
      { name: this.outcomes, partitions: sizes.eventsPartitions, config: kept(7) },
    ];
  }
}
