import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GroupMembership } from './group-membership.js';
import { FakeHost, messages } from './partitions.fixture.js';
import type { TopicPartition } from './topic-partitions.js';

const DRAIN_MS = 20_000;
const SESSION_MS = 10_000;

const partitions = (...numbers: number[]): TopicPartition[] =>
  numbers.map((partition) => ({ topic: 't', partition }));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A group in which nothing was ever committed, and whose joins are made by the test. */
class FakeCluster {
  rejoins = 0;
  isJoining = false;
  readonly asked: number[][] = [];

  rejoin(): void {
    this.rejoins++;
  }

  joined(): void {
    this.isJoining = false;
  }

  left(): void {
    this.isJoining = false;
  }

  committed(asked: Iterable<TopicPartition>): Promise<Map<string, never>> {
    this.asked.push(Array.from(asked, ({ partition }) => partition));
    return Promise.resolve(new Map<string, never>());
  }

  beginnings(asked: Iterable<TopicPartition>): Promise<Map<string, bigint>> {
    return Promise.resolve(new Map(Array.from(asked, ({ partition }) => [`t ${partition}`, 0n])));
  }
}

function memberOf(): { membership: GroupMembership; cluster: FakeCluster; host: FakeHost } {
  const cluster = new FakeCluster();
  const host = new FakeHost();
  const membership = new GroupMembership({
    groupId: 'group',
    cluster,
    host,
    seek: () => undefined,
    log: () => undefined,
    span: 10,
    mostHandled: undefined,
    availableAt: new Map(),
    drainMs: DRAIN_MS,
    sessionTimeoutMs: SESSION_MS,
  });
  return { membership, cluster, host };
}

/** Assigns these, and puts a record of each in flight. */
async function begin(membership: GroupMembership, numbers: number[]): Promise<void> {
  membership.afterJoin(partitions(...numbers));
  await vi.advanceTimersByTimeAsync(0);
  for (const number of numbers) membership.held.get('t', number)!.accept(messages(0), 0n, 0n);
}

describe('partitions that go to another member', () => {
  it('are given free seldom while others still wait for what is in flight, and at once with the last', async () => {
    const { membership, cluster, host } = memberOf();
    await begin(membership, [0, 1, 2, 3, 4, 5]);
    membership.afterJoin(partitions(0));
    const rejoins: number[] = [];
    // Second 1 begins the five seconds in which those of 2 and 3 wait.
    for (const [partition, waitMs] of [
      [1, 1000],
      [2, 1000],
      [3, 1000],
      [4, 3500],
      [5, 1000],
    ] as const) {
      await vi.advanceTimersByTimeAsync(waitMs);
      host.finish(partition, 0);
      await vi.advanceTimersByTimeAsync(10);
      rejoins.push(cluster.rejoins);
    }
    expect(rejoins).toEqual([1, 1, 1, 2, 3]);
    expect(membership.held.size).toBe(1);
  });

  it('end committed, also when that is answered only after a long join, and with a refusal', async () => {
    const { membership, cluster, host } = memberOf();
    await begin(membership, [0]);
    const committed: string[] = [];
    let tries = 0;
    membership.held.send = async (offsets) => {
      if (++tries === 1) {
        await new Promise((resolve) => setTimeout(resolve, 12_000));
        throw new Error('The generation is another.');
      }
      committed.push(offsets!.topics[0]!.partitions[0]!.offset);
    };
    membership.afterJoin([]);
    host.finish(0, 0);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(membership.held.size).toBe(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(committed).toEqual(['1']);
    expect([membership.held.size, cluster.rejoins]).toEqual([0, 1]);
  });

  it('and come back are not opened under a join that has claimed something else', async () => {
    const { membership, cluster, host } = memberOf();
    await begin(membership, [0]);
    membership.afterJoin([]);
    membership.afterJoin(partitions(0, 1));
    await vi.advanceTimersByTimeAsync(0);
    cluster.isJoining = true;
    membership.beforeJoin(true);
    const asked = cluster.asked.length;
    host.finish(0, 0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(membership.held.get('t', 0)).toBeUndefined();
    expect(cluster.asked).toHaveLength(asked);
    // The join says that it is held: when that is not so, the group has to hear of it.
    expect(cluster.rejoins).toBe(1);
    membership.afterJoin(partitions(0, 1));
    await vi.advanceTimersByTimeAsync(0);
    expect(membership.held.values().map(({ partition }) => partition)).toEqual([1, 0]);
  });
});

describe('a member that stops', () => {
  it('fetches nothing of what it inherits meanwhile', async () => {
    const { membership, host } = memberOf();
    await begin(membership, [0]);
    const drained = membership.drain();
    membership.afterJoin(partitions(0, 1, 2));
    expect([...host.paused]).toEqual(['t 0', 't 1', 't 2']);
    host.finish(0, 0);
    await vi.advanceTimersByTimeAsync(100);
    await drained;
    expect(membership.held.size).toBe(1);
  });
});

describe('commits that fail for longer than a session', () => {
  it('make the member join anew, once a session', async () => {
    const { membership, cluster, host } = memberOf();
    await begin(membership, [0]);
    host.finish(0, 0);
    let isRefused = true;
    membership.held.send = () =>
      isRefused ? Promise.reject(new Error('The generation is another.')) : Promise.resolve();
    const commits = setInterval(() => void membership.held.commit(), 200);
    await vi.advanceTimersByTimeAsync(SESSION_MS - 1000);
    expect(cluster.rejoins).toBe(0);
    await vi.advanceTimersByTimeAsync(2000);
    expect(cluster.rejoins).toBe(1);
    await vi.advanceTimersByTimeAsync(SESSION_MS);
    expect(cluster.rejoins).toBe(2);
    isRefused = false;
    await vi.advanceTimersByTimeAsync(2 * SESSION_MS);
    clearInterval(commits);
    expect(cluster.rejoins).toBe(2);
  });
});
