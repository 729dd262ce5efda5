import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { partitionOfKey } from './key-partitioner.js';

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
