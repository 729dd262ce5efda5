import type { Admin, Consumer, EachBatchPayload } from 'kafkajs';
import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import { AssignedPartition, type PartitionHost } from './assigned-partition.js';
import type { ByteBudget } from './byte-budget.js';

export interface GroupConsumerOptions {
  client: KafkaClient;
  groupId: string;
  topics: readonly string[];
  availableAt: ReadonlyMap<string, (record: IncomingRecord) => number>;
  budget: ByteBudget;
  start(record: IncomingRecord, partition: AssignedPartition): void;
  windowSpan?: number | undefined;
  maxWaitTimeMs?: number | undefined;
  sessionTimeoutMs?: number | undefined;
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

type Commit = EachBatchPayload['commitOffsetsIfNecessary'];

/** One membership: from a join of the group to the next. */
class Assignment {
  readonly partitions = new Map<string, AssignedPartition>();
  /** Commits under this membership's generation, once, without the client's own retries: these would repeat
   * a commit under the *next* generation, for partitions that are no longer ours. */
  commit: Commit | undefined;
  /** Settles when the committed offsets and their metadata are known. */
  ready: Promise<void> = Promise.resolve();
  current = true;

  end(): void {
    this.current = false;
    for (const partition of this.partitions.values()) partition.end();
  }

  get inFlight(): number {
    let sum = 0;
    for (const partition of this.partitions.values()) sum += partition.inFlight;
    return sum;
  }
}

/** The client wraps the error that made it give up. */
function isPassing(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (PASSING.has(cause.name)) return true;
  }
  return false;
}

/** A member of a consumer group that hands records over and never waits for them while fetching. */
export class GroupConsumer {
  private readonly host: PartitionHost;
  private readonly consumer: Consumer;
  private admin: Admin | undefined;
  private assignment = new Assignment();
  private readonly past = new Set<Assignment>();
  private committing: Promise<void> | undefined;
  private commitTimer: NodeJS.Timeout | undefined;
  private alive = true;
  private joined = false;
  private draining = false;

  constructor(private readonly options: GroupConsumerOptions) {
    this.host = {
      budget: options.budget,
      start: options.start,
      pause: (topic, partition) => this.consumer.pause([{ topic, partitions: [partition] }]),
      resume: (topic, partition) => this.consumer.resume([{ topic, partitions: [partition] }]),
      commitSoon: () => void this.commit(),
    };
    this.consumer = options.client.kafka.consumer({
      groupId: options.groupId,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: options.maxWaitTimeMs ?? DEFAULT_MAX_WAIT_MS,
      maxBytesPerPartition: 1024 * 1024,
      heartbeatInterval: HEARTBEAT_MS,
      sessionTimeout: options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      retry: { initialRetryTime: 100, maxRetryTime: 2000, retries: 8 },
    });
  }

  async start(): Promise<void> {
    const { events } = this.consumer;
    this.consumer.on(events.GROUP_JOIN, ({ payload }) => this.onJoin(payload.memberAssignment));
    this.consumer.on(events.REBALANCING, () => void this.commit());
    this.consumer.on(events.CRASH, ({ payload }) => {
      this.joined = false;
      if (payload.restart) return;
      if (isPassing(payload.error)) void this.rejoin(payload.error);
      else this.alive = false;
    });
    await this.join();
    this.commitTimer = setInterval(() => void this.commit(), COMMIT_INTERVAL_MS);
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

  health(): GroupHealth {
    return {
      alive: this.alive,
      joined: this.joined,
      partitions: this.assignment.partitions.size,
      inFlight: this.assignment.inFlight,
    };
  }

  /** Takes nothing new; resolves when nothing is in flight any more. */
  async drain(): Promise<void> {
    this.draining = true;
    this.quiesce();
    const isIdle = (): boolean =>
      this.assignment.inFlight === 0 && [...this.past].every((past) => past.inFlight === 0);
    while (!isIdle()) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Commits what is finished, and leaves the group. */
  async stop(): Promise<void> {
    clearInterval(this.commitTimer);
    // A commit under way began before the last records were finished: it does not count.
    await this.committing;
    // During or after `stop` the client drops commits in silence.
    await this.commit();
    this.assignment.end();
    await this.consumer.disconnect();
    await this.admin?.disconnect();
  }

  private onJoin(memberAssignment: Record<string, number[]>): void {
    const last = this.assignment;
    last.end();
    this.past.add(last);
    for (const past of this.past) if (past.inFlight === 0) this.past.delete(past);
    const assignment = new Assignment();
    this.assignment = assignment;
    this.joined = true;
    // A pause outlives the assignment that made it, and would stick when the partition comes back.
    const topics = Object.entries(memberAssignment);
    this.consumer.resume(topics.map(([topic, partitions]) => ({ topic, partitions })));
    assignment.ready = this.prepare(assignment, topics);
  }

  /** Learns what earlier owners had finished, so that it is not done again. */
  private async prepare(assignment: Assignment, topics: [string, number[]][]): Promise<void> {
    if (topics.length === 0) return;
    const committed = await this.fetchCommitted(assignment, topics);
    for (const [topic, partitions] of topics) {
      for (const partition of partitions) {
        const start = committed.get(`${topic} ${partition}`);
        assignment.partitions.set(`${topic} ${partition}`, this.open(topic, partition, start));
      }
    }
    if (!assignment.current) assignment.end();
    else if (this.draining) this.quiesce();
  }

  private async fetchCommitted(
    assignment: Assignment,
    topics: [string, number[]][],
  ): Promise<Map<string, { offset: bigint; metadata: string | null }>> {
    while (assignment.current) {
      try {
        if (!this.admin) {
          const admin = this.options.client.kafka.admin();
          await admin.connect();
          this.admin = admin;
        }
        const fetched = await this.admin.fetchOffsets({
          groupId: this.options.groupId,
          topics: topics.map(([topic]) => topic),
        });
        return new Map(
          fetched.flatMap(({ topic, partitions }) =>
            partitions
              .filter(({ offset }) => Number(offset) >= 0)
              .map(
                (p) =>
                  [`${topic} ${p.partition}`, { offset: BigInt(p.offset), metadata: p.metadata }] as const,
              ),
          ),
        );
      } catch (error) {
        this.options.client.log('warn', 'The committed offsets could not be read; trying again.', {
          group: this.options.groupId,
          error: error instanceof Error ? error.message : String(error),
        });
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    return new Map();
  }

  private open(
    topic: string,
    partition: number,
    committed: { offset: bigint; metadata: string | null } | undefined,
  ): AssignedPartition {
    return new AssignedPartition(
      topic,
      partition,
      this.host,
      { span: this.options.windowSpan ?? DEFAULT_SPAN, availableAt: this.options.availableAt.get(topic) },
      committed,
      (from, to) =>
        this.options.client.log('error', 'Records were deleted before they were read: raise the retention.', {
          topic,
          partition,
          from: String(from),
          to: String(to),
        }),
    );
  }

  private async onBatch({ batch, resolveOffset, commitOffsetsIfNecessary }: EachBatchPayload): Promise<void> {
    const assignment = this.assignment;
    await assignment.ready;
    if (!assignment.current) return;
    assignment.commit = commitOffsetsIfNecessary;
    const partition = assignment.partitions.get(`${batch.topic} ${batch.partition}`);
    const { fetchedOffset } = batch as unknown as { fetchedOffset: string };
    if (partition?.accept(batch.messages, BigInt(fetchedOffset))) resolveOffset(batch.lastOffset());
  }

  private commit(): Promise<void> {
    this.committing ??= this.commitOnce().finally(() => {
      this.committing = undefined;
    });
    return this.committing;
  }

  private async commitOnce(): Promise<void> {
    const { assignment } = this;
    if (!assignment.commit) return;
    const commits: { partition: AssignedPartition; offset: bigint; metadata: string }[] = [];
    for (const partition of assignment.partitions.values()) {
      const commit = partition.toCommit();
      if (commit) commits.push({ partition, ...commit });
    }
    if (commits.length === 0) return;
    const topics = new Map<string, { partition: number; offset: string; metadata: string }[]>();
    for (const { partition, offset, metadata } of commits) {
      const entries = topics.get(partition.topic) ?? [];
      entries.push({ partition: partition.partition, offset: String(offset), metadata });
      topics.set(partition.topic, entries);
    }
    try {
      await assignment.commit({
        topics: Array.from(topics, ([topic, partitions]) => ({ topic, partitions })),
      });
      for (const { partition, offset, metadata } of commits) partition.markCommitted(offset, metadata);
    } catch (error) {
      // The next tick commits more; after a rebalance the new owner repeats at most what was not committed.
      this.options.client.log('info', 'Offsets could not be committed.', {
        group: this.options.groupId,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  private quiesce(): void {
    for (const partition of this.assignment.partitions.values()) {
      partition.drain();
      this.host.pause(partition.topic, partition.partition);
    }
  }
}
