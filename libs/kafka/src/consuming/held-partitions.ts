import type { EachBatchPayload } from 'kafkajs';
import type { AssignedPartition } from './assigned-partition.js';
import { byTopic, partitionKey } from './topic-partitions.js';

const COMMIT_PAUSE_MS = 200;

type Commit = EachBatchPayload['commitOffsetsIfNecessary'];

/** What a member of a group holds, and how far it is. */
export class HeldPartitions {
  private readonly held = new Map<string, AssignedPartition>();
  /** Those that are ours no more, with records still in flight. */
  private readonly past = new Set<AssignedPartition>();
  private committing: Promise<boolean> | undefined;
  private isSoon = false;
  /** Commits once, under the present membership; `undefined` as long as there can be nothing to commit. */
  send: Commit | undefined;

  /** @param onCommit told of every commit: why it failed, or that it did not */
  constructor(private readonly onCommit: (error: Error | undefined) => void) {}

  get size(): number {
    return this.held.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const partition of this.held.values()) sum += partition.inFlight;
    return sum;
  }

  /** Whether nothing is in flight, also of what is ours no more. */
  get isIdle(): boolean {
    this.forgetIdle();
    return this.past.size === 0 && this.inFlight === 0;
  }

  get(topic: string, partition: number): AssignedPartition | undefined {
    return this.held.get(partitionKey(topic, partition));
  }

  values(): AssignedPartition[] {
    return [...this.held.values()];
  }

  add(partition: AssignedPartition): void {
    this.held.set(partitionKey(partition.topic, partition.partition), partition);
  }

  /** It is ours no more: nothing follows from what is still in flight. */
  end(partition: AssignedPartition): void {
    partition.end();
    this.held.delete(partitionKey(partition.topic, partition.partition));
    this.forgetIdle();
    if (partition.inFlight > 0) this.past.add(partition);
  }

  endAll(): void {
    for (const partition of this.values()) this.end(partition);
    this.send = undefined;
  }

  /** @returns whether Kafka has everything that was finished when the commit under way, if there is one, began */
  commit(): Promise<boolean> {
    this.committing ??= this.commitOnce().finally(() => {
      this.committing = undefined;
    });
    return this.committing;
  }

  /** @returns whether Kafka has everything that is finished now */
  async commitAll(): Promise<boolean> {
    await this.committing;
    return this.commit();
  }

  /**
   * Commits everything that is finished, again where that fails: a rebalance refuses commits for a moment.
   * @param forMs how long to go on after the first failure. Not from now: while a join is pending no answer comes at all,
   *   since the broker takes one request of a connection at a time.
   * @param isWanted whether it is worth another try
   * @returns whether Kafka has it
   */
  async commitWithin(forMs: number, isWanted: () => boolean = () => true): Promise<boolean> {
    let deadline: number | undefined;
    while (isWanted()) {
      if (await this.commitAll()) return true;
      deadline ??= performance.now() + forMs;
      if (performance.now() >= deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, COMMIT_PAUSE_MS));
    }
    return false;
  }

  /** Commits without waiting for the timer, yet not in the middle of what is being finished at the moment. */
  commitSoon(): void {
    if (this.isSoon) return;
    this.isSoon = true;
    setImmediate(() => {
      this.isSoon = false;
      // One that is under way looks after its end whether there is need of another.
      if (!this.committing) void this.commit();
    });
  }

  private forgetIdle(): void {
    for (const partition of this.past) if (partition.inFlight === 0) this.past.delete(partition);
  }

  private async commitOnce(): Promise<boolean> {
    const commits = this.values().flatMap((partition) => {
      const progress = partition.toCommit();
      return progress ? [{ partition, ...progress }] : [];
    });
    if (commits.length === 0 || !this.send) return true;
    const entries = new Map(
      commits.map(({ partition: { topic, partition }, offset, metadata }) => [
        partitionKey(topic, partition),
        { partition, offset: String(offset), metadata },
      ]),
    );
    const topics = byTopic(commits.map(({ partition }) => partition)).map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map((partition) => entries.get(partitionKey(topic, partition))!),
    }));
    try {
      await this.send({ topics });
      for (const { partition, ...progress } of commits) partition.markCommitted(progress);
      this.onCommit(undefined);
      if (this.values().some((partition) => partition.isHalfUncommitted)) this.commitSoon();
      return true;
    } catch (error) {
      // The next tick commits more; the next owner repeats at most what was not committed.
      this.onCommit(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }
}
