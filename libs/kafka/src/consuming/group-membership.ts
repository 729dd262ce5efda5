import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaLog } from '../kafka-client.js';
import { AssignedPartition, type PartitionHost } from './assigned-partition.js';
import type { Committed, GroupCluster } from './group-cluster.js';
import { HeldPartitions } from './held-partitions.js';
import { partitionKey, type TopicPartition } from './topic-partitions.js';

export interface MembershipOptions {
  groupId: string;
  cluster: Pick<GroupCluster, 'isJoining' | 'rejoin' | 'joined' | 'left' | 'committed' | 'beginnings'>;
  host: PartitionHost;
  /** Says where the next fetch of a partition has to begin. */
  seek(partition: TopicPartition, offset: bigint): void;
  log: KafkaLog;
  span: number;
  mostHandled: ((partition: TopicPartition) => number) | undefined;
  availableAt: ReadonlyMap<string, (record: IncomingRecord) => number>;
  /** How long a partition that goes to another member waits for what is in flight, ms. */
  drainMs: number;
  /** Commits that fail for longer than this do so because the membership is not what it seems, ms. */
  sessionTimeoutMs: number;
}

const LOOK_UP_PAUSE_MS = 500;
/** How long the last commit for a partition, which may meet a rebalance, is tried again. */
export const LAST_COMMIT_MS = 5000;
/**
 * A join concerns the whole group. Partitions that end one after the other, as their slowest requests do, need not cause
 * one each; those that are idle must not wait for them either.
 */
const REJOIN_PACE_MS = 5000;
const POLL_MS = 10;

/**
 * Which partitions a member holds, from one join of its group to the next. What stays with it goes on as if nothing had
 * happened. What goes to another member is finished and committed first, and only then given to that one.
 */
export class GroupMembership {
  readonly held: HeldPartitions;
  /** What the last join assigned. */
  private assigned = new Map<string, TopicPartition>();
  /** Counts joins: what is being opened under an earlier one is opened no more. */
  private round = 0;
  private draining = false;
  private failingSince: number | undefined;
  private rejoinedAt = -Infinity;
  private rejoinTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: MembershipOptions) {
    this.held = new HeldPartitions((error) => this.onCommit(error));
  }

  /**
   * Before a join: nothing more is opened until it is known what the group assigns.
   * @param isMember false: it is none any more, and what it held is others' already
   * @returns what it holds, and goes on with meanwhile
   */
  beforeJoin(isMember: boolean): readonly TopicPartition[] {
    this.round++;
    if (!isMember) this.lose();
    return this.held.values();
  }

  /** The membership is over. */
  lose(): void {
    this.round++;
    this.held.endAll();
    clearTimeout(this.rejoinTimer);
    this.rejoinTimer = undefined;
    this.options.cluster.left();
  }

  /** @param assigned may lack what is held (it is given back), and contain what others held until now */
  afterJoin(assigned: readonly TopicPartition[]): void {
    this.options.cluster.joined();
    this.assigned = new Map(assigned.map((each) => [partitionKey(each.topic, each.partition), each]));
    for (const partition of this.held.values()) {
      if (partition.isDraining) continue;
      // The client forgets at every join where it was.
      if (this.isAssigned(partition)) this.options.seek(partition, partition.position);
      else void this.giveBack(partition);
    }
    void this.openMissing();
  }

  /** Takes nothing new; resolves when nothing is in flight any more. */
  async drain(): Promise<void> {
    this.draining = true;
    for (const partition of this.held.values()) this.quiesce(partition);
    while (!this.held.isIdle) await sleep(POLL_MS);
  }

  /** Nothing is repeated by the next owner, unless it takes longer than the time there is. */
  private async giveBack(partition: AssignedPartition): Promise<void> {
    this.quiesce(partition);
    const drained = performance.now() + this.options.drainMs;
    while (partition.inFlight > 0 && partition.current && performance.now() < drained) await sleep(POLL_MS);
    await this.held.commitWithin(LAST_COMMIT_MS, () => partition.current);
    if (!partition.current) return;
    this.held.end(partition);
    const { cluster } = this.options;
    // The join under way has claimed it: what comes of that is opened then, and is free otherwise.
    if (cluster.isJoining) cluster.rejoin();
    // It may have come back meanwhile. Otherwise the group has to hear that it is free.
    else if (this.isAssigned(partition)) void this.openMissing();
    else this.rejoinSoon();
  }

  private rejoinSoon(): void {
    const isLast = this.held.values().every((partition) => !partition.isDraining);
    const wait = isLast ? 0 : this.rejoinedAt + REJOIN_PACE_MS - performance.now();
    if (wait > 0) {
      this.rejoinTimer ??= setTimeout(() => this.rejoin(), wait);
      return;
    }
    this.rejoin();
  }

  private rejoin(): void {
    clearTimeout(this.rejoinTimer);
    this.rejoinTimer = undefined;
    this.rejoinedAt = performance.now();
    this.options.cluster.rejoin();
  }

  private onCommit(error: Error | undefined): void {
    if (!error) {
      this.failingSince = undefined;
      return;
    }
    const { log, groupId, sessionTimeoutMs } = this.options;
    log('info', 'Offsets could not be committed.', { group: groupId, error: error.message });
    const now = performance.now();
    this.failingSince ??= now;
    if (now - this.failingSince < sessionTimeoutMs) return;
    this.failingSince = undefined;
    this.rejoin();
  }

  /** Begins with what was assigned and is not held yet. */
  private async openMissing(): Promise<void> {
    const round = ++this.round;
    const { cluster, host } = this.options;
    const missing = [...this.assigned.values()].filter(
      ({ topic, partition }) => !this.held.get(topic, partition),
    );
    // Also when none of them will be opened: the client would fetch them over and over.
    for (const { topic, partition } of missing) host.pause(topic, partition);
    if (missing.length === 0 || this.draining) return;
    const committed = await this.untilKnown(round, () => cluster.committed(missing));
    if (!committed) return;
    // A partition without a leader must not hold up the others for longer than one try.
    const beginnings = await cluster.beginnings(missing).catch(() => undefined);
    if (this.isOver(round)) return;
    for (const each of missing) this.open(each, committed, beginnings);
    if (beginnings) return;
    const later = await this.untilKnown(round, () => cluster.beginnings(missing));
    if (later) for (const each of missing) this.open(each, committed, later);
  }

  /** Begins where the group is, but not before the log does; where it never was, at the beginning of the log. */
  private open(
    { topic, partition }: TopicPartition,
    committed: ReadonlyMap<string, Committed>,
    beginnings: ReadonlyMap<string, bigint> | undefined,
  ): void {
    const key = partitionKey(topic, partition);
    const beginning = beginnings?.get(key);
    const start =
      committed.get(key) ?? (beginning === undefined ? undefined : { offset: beginning, metadata: null });
    if (!start) return;
    const known = this.held.get(topic, partition);
    const open = known ?? this.make(topic, partition, start);
    const isMoved = beginning !== undefined && open.beginAt(beginning);
    if (known && !isMoved) return;
    this.held.add(open);
    this.options.seek(open, open.position);
    if (!known) this.options.host.resume(topic, partition);
  }

  private make(topic: string, partition: number, start: Committed): AssignedPartition {
    const { host, span, mostHandled, availableAt, log } = this.options;
    return new AssignedPartition(
      topic,
      partition,
      host,
      { span, mostHandled, availableAt: availableAt.get(topic) },
      start,
      (from, to) =>
        log('error', 'Records were deleted before they were read: raise the retention.', {
          topic,
          partition,
          from: String(from),
          to: String(to),
        }),
    );
  }

  /** @returns `undefined` when another join began first, or the consumer stops */
  private async untilKnown<T>(round: number, ask: () => Promise<T>): Promise<T | undefined> {
    while (!this.isOver(round)) {
      try {
        const answer = await ask();
        return this.isOver(round) ? undefined : answer;
      } catch (error) {
        this.options.log('warn', 'Offsets could not be read; trying again.', {
          group: this.options.groupId,
          error: error instanceof Error ? error.message : String(error),
        });
        await sleep(LOOK_UP_PAUSE_MS);
      }
    }
    return undefined;
  }

  private isOver(round: number): boolean {
    return round !== this.round || this.draining;
  }

  private isAssigned({ topic, partition }: TopicPartition): boolean {
    return this.assigned.has(partitionKey(topic, partition));
  }

  private quiesce(partition: AssignedPartition): void {
    partition.drain();
    this.options.host.pause(partition.topic, partition.partition);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
