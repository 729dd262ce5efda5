import { describe, expect, it } from 'vitest';
import { PartitionCount } from './partition-count.js';

describe('the number of partitions', () => {
  it('is asked for once, however many want to know', async () => {
    let asked = 0;
    const partitions = new PartitionCount(async () => {
      asked++;
      return 4;
    });
    expect(await Promise.all([partitions.current(), partitions.current()])).toEqual([4, 4]);
    expect(await partitions.current()).toBe(4);
    expect(asked).toBe(1);
  });

  it('is asked for anew by whom the known one will not do, even while it is being asked for', async () => {
    let count = 4;
    const answers: (() => void)[] = [];
    const partitions = new PartitionCount(
      () =>
        new Promise((resolve) => {
          const answer = count;
          answers.push(() => resolve(answer));
        }),
    );
    const first = partitions.current();
    count = 8;
    const latest = partitions.latest();
    answers[0]!();
    expect(await first).toBe(4);
    await expect.poll(() => answers.length).toBe(2);
    answers[1]!();
    expect(await latest).toBe(8);
    expect(await partitions.current()).toBe(8);
  });

  it('is the last known one while Kafka is away, and unknown before', async () => {
    let answer: number | Error = new Error('no broker');
    const partitions = new PartitionCount(async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
    expect(await partitions.current()).toBeUndefined();
    answer = 4;
    expect(await partitions.latest()).toBe(4);
    answer = new Error('no broker');
    expect(await partitions.latest()).toBe(4);
  });
});
