import { describe, expect, it } from 'vitest';
import { Coalescer, type Settled } from './coalescer.js';

function recording(): {
  batches: number[][];
  release: () => void;
  flush: (items: number[]) => Promise<Settled<number>[]>;
} {
  const batches: number[][] = [];
  let waiting: (() => void)[] = [];
  return {
    batches,
    release: () => {
      for (const go of waiting.splice(0)) go();
      waiting = [];
    },
    flush: async (items) => {
      batches.push(items);
      await new Promise<void>((resolve) => waiting.push(resolve));
      return items.map((item) => ({ ok: true, value: item * 10 }));
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('Coalescer', () => {
  it('flushes a lone item at once and collects what comes meanwhile', async () => {
    const { batches, flush, release } = recording();
    const coalescer = new Coalescer({ flush, maxItems: 100 });
    const first = coalescer.add(1);
    await turn();
    expect(batches).toEqual([[1]]);
    const rest = [2, 3, 4].map((item) => coalescer.add(item));
    await turn();
    expect(batches).toHaveLength(1);
    release();
    expect(await first).toBe(10);
    await turn();
    release();
    expect(await Promise.all(rest)).toEqual([20, 30, 40]);
    expect(batches).toEqual([[1], [2, 3, 4]]);
  });

  it('cuts by number and by bytes, and lets an oversized item go alone', async () => {
    const batches: number[][] = [];
    const coalescer = new Coalescer<number, number>({
      flush: (items) => {
        batches.push(items);
        return Promise.resolve(items.map((value) => ({ ok: true as const, value })));
      },
      maxItems: 3,
      maxBytes: 10,
      sizeOf: (item) => item,
    });
    await Promise.all([1, 1, 1, 1, 8, 50, 2].map((item) => coalescer.add(item)));
    expect(batches).toEqual([[1, 1, 1], [1, 8], [50], [2]]);
  });

  it('pauses after a batch so that the next one grows, but not when a whole batch waits already', async () => {
    const batches: { size: number; at: number }[] = [];
    const coalescer = new Coalescer<number, number>({
      flush: (items) => {
        batches.push({ size: items.length, at: performance.now() });
        return Promise.resolve(items.map((value) => ({ ok: true as const, value })));
      },
      maxItems: 10,
      pauseAfter: (items) => (items > 1 ? 60 : 0),
    });
    await Promise.all(Array.from({ length: 25 }, (_, index) => coalescer.add(index)));
    const late = coalescer.add(99);
    await late;
    expect(batches.map(({ size }) => size)).toEqual([10, 10, 5, 1]);
    expect(batches[1]!.at - batches[0]!.at).toBeLessThan(50);
    expect(batches[3]!.at - batches[2]!.at).toBeGreaterThanOrEqual(59);
  });

  it('fails every item of a flush that rejects, and goes on with the next', async () => {
    let calls = 0;
    const coalescer = new Coalescer<number, number>({
      flush: (items) =>
        ++calls === 1
          ? Promise.reject(new Error('broken'))
          : Promise.resolve(items.map((value) => ({ ok: true as const, value }))),
      maxItems: 10,
    });
    await expect(Promise.all([coalescer.add(1), coalescer.add(2)])).rejects.toThrow('broken');
    await expect(coalescer.add(3)).resolves.toBe(3);
    await coalescer.whenIdle();
    expect(coalescer.size).toBe(0);
  });
});
