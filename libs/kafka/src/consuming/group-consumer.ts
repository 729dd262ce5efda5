import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import type { AssignedPartition, PartitionHost } from './assigned-partition.js';
import type { ByteBudget } from './byte-budget.js';
import { GroupCluster } from './group-cluster.js';
import { GroupMembership, LAST_COMMIT_MS } from './group-membership.js';
import type { TopicPartition } from './topic-partitions.js';

export interface GroupConsumerOptions {
  client: KafkaClient;
  groupId: string;
  topics: readonly string[];
  availableAt: ReadonlyMap<string, (record: IncomingRecord) => number>;
  budget: ByteBudget;
  start(record: IncomingRecord, partition: AssignedPartition): void;
  windowSpan?: number | undefined;
  mostHandled?: ((partition: TopicPartition) => number) | undefined;
  maxWaitTimeMs?: number | undefined;
  minBytes?: number | undefined;
  sessionTimeoutMs?: number | undefined;
  rebalanceDrainMs?: number | undefined;
}

export interface GroupHealth {
  /** False after the client gave up: only a new process helps. */
  alive: boolean;
  /** Whether the group was joined, and partitions, if there are enough, assigned. */
  joined: boolean;
  partitions: number;
  inFlight: number;
}

const DEFAULT_SPAN = 1000;
/** A resumed partition waits out the running long poll, so this is also the longest such wait. */
const DEFAULT_MAX_WAIT_MS = 100;
const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
const DEFAULT_REBALANCE_DRAIN_MS = 3000;
/** A member has this long to hear of a rebalance and join it. */
const REBALANCE_TIMEOUT_MS = 30_000;
const HEARTBEAT_MS = 1000;
const COMMIT_INTERVAL_MS = 200;
/** New partitions of a topic are seen after this long. */
const METADATA_MAX_AGE_MS = 3000;
const REJOIN_PAUSE_MS = 1000;
/**
 * Errors after which the client gives up, although they pass: it finds no coordinator while the only broker that it can
 * reach is shutting down or starting.
 */
const PASSING = new Set(['KafkaJSGroupCoordinatorNotFound', 'KafkaJSLockTimeout']);

/** The client wraps the error that made it give up. */
function isPassing(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (PASSING.has(cause.name)) return true;
  }
  return false;
}

/** A member of a consumer group that hands records over and never waits for them while fetching. */
export class GroupConsumer {
  private readonly membership: GroupMembership;
  private readonly consumer: Consumer;
  private commitTimer: NodeJS.Timeout | undefined;
  private alive = true;
  private joined = false;
  private draining = false;

  constructor(private readonly options: GroupConsumerOptions) {
    const host: PartitionHost = {
      budget: options.budget,
      start: options.start,
      pause: (topic, partition) =>
        this.ifRunning(() => this.consumer.pause([{ topic, partitions: [partition] }])),
      resume: (topic, partition) =>
        this.ifRunning(() => this.consumer.resume([{ topic, partitions: [partition] }])),
      commitSoon: () => this.membership.held.commitSoon(),
    };
    const cluster = new GroupCluster(options.groupId, options.topics, (isMember) =>
      this.membership.beforeJoin(isMember),
    );
    const sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS;
    this.membership = new GroupMembership({
      groupId: options.groupId,
      cluster,
      host,
      seek: ({ topic, partition }, offset) =>
        this.ifRunning(() => this.consumer.seek({ topic, partition, offset: String(offset) })),
      log: options.client.log,
      span: options.windowSpan ?? DEFAULT_SPAN,
      mostHandled: options.mostHandled,
      availableAt: options.availableAt,
      drainMs: options.rebalanceDrainMs ?? DEFAULT_REBALANCE_DRAIN_MS,
      sessionTimeoutMs,
    });
    this.consumer = options.client.kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: options.maxWaitTimeMs ?? DEFAULT_MAX_WAIT_MS,
      minBytes: options.minBytes ?? 1,
      maxBytesPerPartition: 1024 * 1024,
      heartbeatInterval: HEARTBEAT_MS,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      partitionAssigners: [cluster.assigner],
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8 },
    });
    this.listen();
  }

  /** Throws when Kafka is not there; may be called again then. */
  async start(): Promise<void> {
    await this.join();
    this.commitTimer = setInterval(() => void this.membership.held.commit(), COMMIT_INTERVAL_MS);
  }

  private listen(): void {
    const { events } = this.consumer;
    this.consumer.on(events.GROUP_JOIN, ({ payload }) => {
      this.joined = true;
      this.membership.afterJoin(
        Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      );
    });
    this.consumer.on(events.CRASH, ({ payload }) => {
      this.joined = false;
      // The client has left the group: the partitions are others' now.
      this.membership.lose();
      if (payload.restart) return;
      if (isPassing(payload.error)) void this.rejoin(payload.error);
      else this.alive = false;
    });
  }

  private async join(): Promise<void> {
    await this.consumer.connect();
    // From the beginning where the group has no offset: the client's default is the end, which on a topic
    // that has grown by a partition skips what was written before the group saw it.
    await this.consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 1,
      eachBatch: (payload) => this.onBatch(payload),
    });
  }

  /** The client has disconnected and will not come back by itself. */
  private async rejoin(cause: Error): Promise<void> {
    const { client, groupId } = this.options;
    client.log('warn', 'The consumer was lost; it joins its group anew.', {
      group: groupId,
      error: cause.message,
    });
    while (!this.draining) {
      try {
        await this.join();
        return;
      } catch (error) {
        client.log('warn', 'The consumer could not join its group; trying again.', {
          group: groupId,
          error: error instanceof Error ? error.message : String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, REJOIN_PAUSE_MS));
      }
    }
  }

  get groupId(): string {
    return this.options.groupId;
  }

  /** See `KafkaStrategy.committedOffset`. */
  committedOffset(topic: string, partition: number): bigint | undefined {
    return this.membership.held.get(topic, partition)?.committed;
  }

  health(): GroupHealth {
    return {
      alive: this.alive,
      joined: this.joined,
      partitions: this.membership.held.size,
      inFlight: this.membership.held.inFlight,
    };
  }

  /** Takes nothing new; resolves when nothing is in flight any more. */
  async drain(): Promise<void> {
    this.draining = true;
    await this.membership.drain();
  }

  /** Commits what is finished, and leaves the group. */
  async stop(): Promise<void> {
    clearInterval(this.commitTimer);
    // During or after `stop` the client drops commits in silence.
    await this.membership.held.commitWithin(LAST_COMMIT_MS);
    this.membership.lose();
    await this.consumer.disconnect();
  }

  private onBatch({
    batch,
    resolveOffset,
    commitOffsetsIfNecessary,
    isStale,
  }: EachBatchPayload): Promise<void> {
    // Fetched before the client was told where to go on.
    if (isStale()) return Promise.resolve();
    this.membership.held.send = commitOffsetsIfNecessary;
    const { fetchedOffset } = batch as unknown as { fetchedOffset: string };
    const partition = this.membership.held.get(batch.topic, batch.partition);
    const last = batch.lastOffset();
    if (partition?.accept(batch.messages, BigInt(fetchedOffset), BigInt(last))) resolveOffset(last);
    return Promise.resolve();
  }

  /** A client that has given up throws; it fetches nothing, and the next join begins anew. */
  private ifRunning(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'KafkaJSNonRetriableError') throw error;
    }
  }
}
