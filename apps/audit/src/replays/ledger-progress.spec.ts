import { Topics } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { LedgerProgress } from './ledger-progress.js';

const topics = new Topics();
const GROUP = topics.group('audit');

interface Partition {
  committed?: bigint;
  beginning: bigint;
  end: bigint;
}

/** Of both topics; Kafka's part in it is tested with Kafka. */
function progressOf(partitions: Record<number, Partition>): LedgerProgress {
  const topicLag = (_topic: string, group?: string) =>
    Promise.resolve(
      new Map(
        Object.entries(partitions).map(([number, { committed, beginning, end }]) => [
          Number(number),
          { partition: Number(number), beginning, end, committed: group === GROUP ? committed : undefined },
        ]),
      ),
    );
  return new LedgerProgress({ topicLag }, topics, GROUP);
}

describe('the progress of the ledger', () => {
  it('has reached where the log ended once every partition is finished as far as that', async () => {
    const fence = await progressOf({ 0: { beginning: 0n, end: 10n }, 1: { beginning: 0n, end: 5n } }).fence();
    const there = {
      0: { committed: 10n, beginning: 0n, end: 99n },
      1: { committed: 7n, beginning: 0n, end: 7n },
    };
    expect(await progressOf(there).hasReached(fence)).toBe(true);
    const behind = { ...there, 1: { committed: 4n, beginning: 0n, end: 7n } };
    expect(await progressOf(behind).hasReached(fence)).toBe(false);
    expect(await progressOf({ ...there, 1: { beginning: 0n, end: 7n } }).hasReached(fence)).toBe(false);
  });

  it('does not wait for what was never written, nor for what Kafka has dropped', async () => {
    const empty = progressOf({ 0: { beginning: 0n, end: 0n } });
    expect(await empty.hasReached(await empty.fence())).toBe(true);
    const fence = await progressOf({ 0: { beginning: 0n, end: 10n } }).fence();
    expect(await progressOf({ 0: { beginning: 20n, end: 30n } }).hasReached(fence)).toBe(true);
  });
});
