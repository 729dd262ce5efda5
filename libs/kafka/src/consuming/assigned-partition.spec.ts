import { describe, expect, it } from 'vitest';
import { AssignedPartition } from './assigned-partition.js';
import { FakeHost, messages } from './partitions.fixture.js';

function opened(
  offset = 0n,
  mostHandled = Infinity,
): { host: FakeHost; partition: AssignedPartition; gaps: string[] } {
  const host = new FakeHost();
  const gaps: string[] = [];
  const partition = new AssignedPartition(
    't',
    0,
    host,
    { span: 100, mostHandled: () => mostHandled },
    { offset, metadata: null },
    (from, to) => gaps.push(`${from} to ${to}`),
  );
  return { host, partition, gaps };
}

describe('offsets that have no record', () => {
  it('are finished when they were fetched over: before, between and behind what there is', () => {
    const { host, partition, gaps } = opened();
    expect(partition.accept(messages(3, 4, 7), 0n, 9n)).toBe(true);
    expect(host.inFlight).toEqual([3, 4, 7]);
    expect(partition.toCommit()).toMatchObject({ offset: 3n });
    host.finish(0, 3, 4);
    expect(partition.toCommit()).toMatchObject({ offset: 7n });
    host.finish(0, 7);
    expect(partition.toCommit()).toMatchObject({ offset: 10n });
    expect(partition.position).toBe(10n);
    expect(gaps).toEqual([]);
  });

  it('wait for what is in flight below them', () => {
    const { host, partition } = opened();
    partition.accept(messages(0, 50), 0n, 50n);
    host.finish(0, 50);
    // 1 to 50, as one run.
    expect(partition.toCommit()).toMatchObject({ offset: 0n, recorded: 50 });
    host.finish(0, 0);
    expect(partition.toCommit()).toMatchObject({ offset: 51n, recorded: 0 });
  });
});

describe('records that were deleted before they were read', () => {
  it('take with them nothing that is in flight or finished before', () => {
    const { host, partition, gaps } = opened();
    partition.accept(messages(0, 1), 0n, 1n);
    host.finish(0, 1);
    expect(partition.beginAt(40n)).toBe(true);
    expect(gaps).toEqual(['2 to 40']);
    expect(partition.toCommit()).toMatchObject({ offset: 0n, recorded: 39 });
    host.finish(0, 0);
    expect(partition.toCommit()).toMatchObject({ offset: 40n });
  });

  it('leave nothing to do where nothing was read yet', () => {
    const { partition, gaps } = opened(5n);
    expect(partition.beginAt(40n)).toBe(true);
    expect(gaps).toEqual(['5 to 40']);
    expect(partition.toCommit()).toBeUndefined();
    expect(partition.committed).toBe(40n);
  });
});

describe('how many records handlers have at a time', () => {
  it('is bounded, and a record whose handler has returned makes room before it is finished', () => {
    const { host, partition } = opened(0n, 2);
    partition.accept(messages(0, 1, 2, 3), 0n, 3n);
    expect(host.inFlight).toEqual([0, 1]);
    host.answer(0, 1);
    expect(host.inFlight).toEqual([0, 1, 2]);
    host.finish(0, 1);
    expect(host.inFlight).toEqual([0, 2]);
    host.answer(0, 0);
    host.answer(0, 2);
    expect(host.inFlight).toEqual([0, 2, 3]);
    expect(host.paused).toEqual(new Set());
  });
});
