import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { partitionInSpread, partitionOfKey } from './key-partitioner.js';

describe('the partition of a key', () => {
  it('is where kafkajs, and with it every client, puts it', () => {
    const original = Partitioners.DefaultPartitioner();
    for (let n = 0; n < 3000; n++) {
      const key = `${'é😀x/'.repeat(n % 7)}${n}`.slice(n % 3);
      const partitions = 1 + (n % 64);
      const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        leader: 1,
        partitionErrorCode: 0,
        replicas: [1],
        isr: [1],
      }));
      const expected = original({ topic: 't', partitionMetadata, message: { key, value: null } });
      expect([key, partitionOfKey(key, partitions)]).toEqual([key, expected]);
    }
  });
});

describe('the partition of a key in a spread', () => {
  const partitionsOf = (group: string, spread: number, partitions: number): Set<number> =>
    new Set(
      Array.from({ length: 500 }, (_, n) =>
        partitionInSpread(`${group}/${n}`, { group, partitions: spread }, partitions),
      ),
    );

  it('is one of a few, all of which are used', () => {
    for (let n = 0; n < 200; n++) {
      const used = partitionsOf(`team-${n}`, 3, 12);
      expect(used.size).toBe(3);
      for (const partition of used) expect(partition).toBeLessThan(12);
    }
  });

  it('is never among more than half of the partitions', () => {
    expect(partitionsOf('shop', 1000, 12).size).toBe(6);
    expect(partitionsOf('shop', 3, 4).size).toBe(2);
    expect([...partitionsOf('shop', 3, 1)]).toEqual([0]);
  });

  it('differs between groups: over many, each partition has its share', () => {
    const groups = Array.from({ length: 600 }, (_, n) => [...partitionsOf(`g${n}`, 3, 12)]);
    const uses = Array.from({ length: 12 }, (_, p) => groups.filter((group) => group.includes(p)).length);
    // 600 groups of 3 over 12 partitions: 150 each.
    for (const count of uses) expect(count).toBeGreaterThan(100);
    const first = groups[0]!.toSorted().join();
    expect(groups.filter((group) => group.toSorted().join() === first).length).toBeLessThan(30);
  });

  it('stays for most groups when a partition is added', () => {
    const names = Array.from({ length: 300 }, (_, n) => `g${n}`);
    const same = names.filter((group) => {
      const before = partitionsOf(group, 3, 12);
      return [...partitionsOf(group, 3, 13)].every((partition) => before.has(partition));
    });
    expect(same.length).toBeGreaterThan(200);
  });
});
