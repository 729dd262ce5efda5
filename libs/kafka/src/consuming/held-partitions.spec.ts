import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AssignedPartition } from './assigned-partition.js';
import { HeldPartitions } from './held-partitions.js';
import { FakeHost, messages, offsetsBelow } from './partitions.fixture.js';

const SPAN = 10;

/** Partition 0, with as many records as the window takes in flight; commits are answered by the test, in order. */
function holding() {
  const host = new FakeHost();
  const failures: (string | undefined)[] = [];
  const held = new HeldPartitions((error) => failures.push(error?.message));
  host.commitSoon = () => held.commitSoon();
  const partition = new AssignedPartition(
    't',
    0,
    host,
    { span: SPAN },
    { offset: 0n, metadata: null },
    () => undefined,
  );
  held.add(partition);
  const sent: string[] = [];
  const answers: { resolve(): void; reject(error: Error): void }[] = [];
  held.send = (offsets) => {
    sent.push(offsets!.topics[0]!.partitions[0]!.offset);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    answers.push({ resolve, reject });
    return promise;
  };
  partition.accept(messages(...offsetsBelow(30)), 0n, 29n);
  return { host, held, partition, sent, answers, failures };
}

describe('a commit that does not wait for the timer', () => {
  it('has everything that is finished in the same turn', async () => {
    const { host, sent } = holding();
    host.finish(0, ...offsetsBelow(SPAN));
    expect(sent).toEqual([]);
    await vi.waitFor(() => expect(sent).toEqual(['10']));
  });

  it('is followed by another if half a window was finished meanwhile', async () => {
    const { host, sent, answers, partition } = holding();
    host.finish(0, ...offsetsBelow(5));
    await vi.waitFor(() => expect(sent).toEqual(['5']));
    host.finish(0, 5, 6, 7, 8, 9);
    answers[0]!.resolve();
    await vi.waitFor(() => expect(sent).toEqual(['5', '10']));
    answers[1]!.resolve();
    await vi.waitFor(() => expect(partition.committed).toBe(10n));
    expect(sent).toHaveLength(2);
  });
});

describe('commits that are tried until they work', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('end when Kafka has what was finished', async () => {
    const { host, held, sent, answers, failures } = holding();
    host.finish(0, 0);
    const committed = held.commitWithin(1000);
    for (let tries = 0; tries < 3; tries++) {
      await vi.advanceTimersByTimeAsync(200);
      answers[tries]!.reject(new Error('The group rebalances.'));
    }
    await vi.advanceTimersByTimeAsync(200);
    answers[3]!.resolve();
    expect(await committed).toBe(true);
    expect(sent).toEqual(['1', '1', '1', '1']);
    expect(failures).toEqual([...Array<string>(3).fill('The group rebalances.'), undefined]);
  });

  it('give up a while after the first failure, however long that took to come', async () => {
    const { host, held, sent, answers } = holding();
    host.finish(0, 0);
    const committed = held.commitWithin(500);
    await vi.advanceTimersByTimeAsync(20_000);
    for (let tries = 0; tries < 4; tries++) {
      answers[tries]!.reject(new Error('The group rebalances.'));
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(await committed).toBe(false);
    expect(sent).toHaveLength(4);
  });
});
