import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget, type ByteShare } from './byte-budget.js';

const ignored = (): void => undefined;

describe('ByteBudget', () => {
  it('lets one partition have its part and the whole pool, and no more', () => {
    const budget = new ByteBudget(1000);
    const [greedy] = [budget.share(ignored), budget.share(ignored)];
    let taken = 0;
    while (greedy!.take(50)) taken += 50;
    // Its half of the half that is divided, and the other half.
    expect(taken).toBe(750);
    expect(budget.inUse).toBe(750);
  });

  it('keeps the part of the others free while one partition holds all that it can get', () => {
    const budget = new ByteBudget(1000);
    const [greedy, modest] = [budget.share(ignored), budget.share(ignored)];
    while (greedy!.take(50));
    let taken = 0;
    while (modest!.take(50)) taken += 50;
    expect(taken).toBe(250);
  });

  it('lets one record of each partition through, however large it is', () => {
    const budget = new ByteBudget(10);
    const shares = [budget.share(ignored), budget.share(ignored)];
    expect(shares.map((share) => share.take(1000))).toEqual([true, true]);
    expect(shares.map((share) => share.take(1))).toEqual([false, false]);
  });

  it('calls back who was refused, in order of arrival, one record each', () => {
    const budget = new ByteBudget(400);
    const calls: string[] = [];
    const shares = new Map<string, ByteShare>();
    const open = (name: string): ByteShare => {
      const share = budget.share(() => {
        // As a partition does: as many as it gets.
        while (shares.get(name)!.take(100)) calls.push(name);
      });
      shares.set(name, share);
      return share;
    };
    const [holder, first, second] = [open('holder'), open('first'), open('second')];
    // A third of 200 is guaranteed: the second record of each needs the pool.
    for (const share of [holder, first, second]) expect(share.take(60)).toBe(true);
    expect(holder.take(190)).toBe(true);
    expect(first.take(100)).toBe(false);
    expect(second.take(100)).toBe(false);
    holder.give(190);
    expect(calls).toEqual(['first', 'second']);
  });

  it('divides anew when partitions come and go; what is still in flight of those that went counts', () => {
    const budget = new ByteBudget(1000);
    const stays = budget.share(ignored);
    expect(budget.guaranteedBytes).toBe(500);
    let woken = 0;
    const goes = budget.share(() => woken++);
    expect(budget.guaranteedBytes).toBe(250);
    expect(goes.take(500)).toBe(true);
    goes.close();
    expect(budget.guaranteedBytes).toBe(500);
    expect(stays.take(500)).toBe(true);
    expect(stays.take(100)).toBe(false);
    goes.give(500);
    expect(stays.take(100)).toBe(true);
    expect(woken).toBe(0);
  });

  it('never refuses what a partition is guaranteed, never exceeds its limit but by single records, and forgets nobody', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('open' as const) }),
      fc.record({ kind: fc.constant('close' as const), who: fc.nat() }),
      fc.record({ kind: fc.constant('give' as const), who: fc.nat() }),
      fc.record({
        kind: fc.constant('take' as const),
        who: fc.nat(),
        bytes: fc.integer({ min: 1, max: 400 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const limit = 1000;
        const budget = new ByteBudget(limit);
        interface Partition {
          share: ByteShare;
          records: number[];
          waiting: number | undefined;
        }
        const open: Partition[] = [];
        const all: Partition[] = [];
        const take = (partition: Partition, bytes: number): void => {
          const used = partition.records.reduce((sum, each) => sum + each, 0);
          const isMine = used === 0 || used + bytes <= Math.floor(limit / 2 / open.length);
          const isTaken = partition.share.take(bytes);
          expect(isTaken || !isMine).toBe(true);
          partition.waiting = isTaken ? undefined : bytes;
          if (isTaken) partition.records.push(bytes);
        };
        const give = (partition: Partition): void => {
          const bytes = partition.records.shift();
          if (bytes !== undefined) partition.share.give(bytes);
        };
        for (const next of steps) {
          if (next.kind === 'open') {
            const partition: Partition = { share: undefined as never, records: [], waiting: undefined };
            partition.share = budget.share(() => {
              if (partition.waiting !== undefined) take(partition, partition.waiting);
            });
            open.push(partition);
            all.push(partition);
            continue;
          }
          const among = next.kind === 'give' ? all : open;
          const partition = among[next.who % Math.max(1, among.length)];
          if (!partition) continue;
          if (next.kind === 'give') give(partition);
          else if (next.kind === 'close') {
            open.splice(open.indexOf(partition), 1);
            partition.waiting = undefined;
            partition.share.close();
          } else if (partition.waiting === undefined) take(partition, next.bytes);
        }
        const inUse = all.flatMap(({ records }) => records).reduce((sum, each) => sum + each, 0);
        expect(budget.inUse).toBe(inUse);
        for (const partition of all) while (partition.records.length > 0) give(partition);
        expect(all.filter(({ waiting }) => waiting !== undefined)).toEqual([]);
        expect(budget.inUse).toBe(all.flatMap(({ records }) => records).reduce((sum, each) => sum + each, 0));
      }),
      { numRuns: 500 },
    );
  });

  it('holds its limit as long as the partitions stay and their records are small', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.record({ who: fc.nat(), bytes: fc.integer({ min: 1, max: 60 }), isGive: fc.boolean() })),
        (count, steps) => {
          const budget = new ByteBudget(1000);
          const shares = Array.from({ length: count }, () => budget.share(ignored));
          const records = shares.map((): number[] => []);
          for (const { who, bytes, isGive } of steps) {
            const share = shares[who % count]!;
            const held = records[who % count]!;
            if (isGive) {
              const given = held.shift();
              if (given !== undefined) share.give(given);
            } else if (share.take(bytes)) held.push(bytes);
            expect(budget.inUse).toBeLessThanOrEqual(1000);
          }
        },
      ),
    );
  });
});
