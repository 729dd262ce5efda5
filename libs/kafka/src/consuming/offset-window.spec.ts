import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRuns, encodeRuns, type FinishedRuns } from './commit-metadata.js';
import { FinishedOffsets } from './finished-offsets.js';
import { OffsetWindow, reachOf } from './offset-window.js';

describe('OffsetWindow', () => {
  it('commits only the finished prefix, whatever finished behind it', () => {
    const window = new OffsetWindow(10n, 100);
    for (const offset of [12n, 13n, 11n]) window.finish(offset);
    expect(window.commitOffset).toBe(10n);
    window.finish(10n);
    expect(window.commitOffset).toBe(14n);
  });

  it('has no room a span above what Kafka has, until that is committed', () => {
    const window = new OffsetWindow(0n, 3);
    expect([0n, 1n, 2n, 3n].map((offset) => window.hasRoomFor(offset))).toEqual([true, true, true, false]);
    for (const offset of [0n, 1n, 2n]) window.finish(offset);
    expect(window.hasRoomFor(3n)).toBe(false);
    window.markCommitted({ offset: 3n, metadata: '', recorded: 0 });
    expect(window.hasRoomFor(5n)).toBe(true);
    expect(window.hasRoomFor(6n)).toBe(false);
  });

  it('has room behind a slow record for as many as a crash would not repeat', () => {
    const span = 10;
    const window = new OffsetWindow(0n, span);
    let highest = 0n;
    for (let commits = 0; commits < 5; commits++) {
      while (window.hasRoomFor(highest + 1n)) window.finish(++highest);
      // Nine in flight are finished and not on record: with the slow one a crash repeats no more than the span.
      window.markCommitted(window.toCommit()!);
    }
    expect(window.commitOffset).toBe(0n);
    expect(highest).toBe(BigInt(5 * (span - 1)));
    for (let commits = 0; commits < 100; commits++) {
      while (window.hasRoomFor(highest + 1n)) window.finish(++highest);
      window.markCommitted(window.toCommit() ?? { offset: 0n, metadata: '', recorded: Number(highest) });
    }
    expect(highest).toBe(BigInt(reachOf(span) - 1));
  });

  it('gives no room for what is finished and finds no place on record', () => {
    const window = new OffsetWindow(0n, 10_000);
    for (let offset = 1n; offset < 10_000n; offset += 2n) window.finish(offset);
    const progress = window.toCommit()!;
    expect(progress.recorded).toBeLessThan(1000);
    window.markCommitted(progress);
    expect(window.hasRoomFor(BigInt(9_999 + progress.recorded))).toBe(true);
    expect(window.hasRoomFor(BigInt(10_000 + progress.recorded))).toBe(false);
  });

  it('knows what an earlier owner had finished', () => {
    const window = new OffsetWindow(5n, 100, [
      [5n, 7n],
      [9n, 10n],
    ]);
    expect(window.commitOffset).toBe(7n);
    expect([6n, 7n, 8n, 9n].map((offset) => window.isFinished(offset))).toEqual([true, false, false, true]);
    window.finish(7n);
    window.finish(8n);
    expect(window.commitOffset).toBe(10n);
  });
});

/** The same, said simply: a set, sorted whenever it is asked. */
class NaiveWindow {
  private readonly finished = new Set<bigint>();
  private committed: bigint;
  private recorded = 0n;

  constructor(
    private readonly start: bigint,
    private readonly span: bigint,
  ) {
    this.committed = start;
  }

  finish(offset: bigint): void {
    this.finished.add(offset);
  }

  isFinished(offset: bigint): boolean {
    return offset < this.start || this.finished.has(offset);
  }

  get commitOffset(): bigint {
    let offset = this.start;
    while (this.finished.has(offset)) offset++;
    return offset;
  }

  runs(): FinishedRuns {
    const runs: [bigint, bigint][] = [];
    for (const offset of [...this.finished].sort((a, b) => (a < b ? -1 : 1))) {
      if (offset < this.commitOffset) continue;
      const last = runs.at(-1);
      if (last?.[1] === offset) last[1]++;
      else runs.push([offset, offset + 1n]);
    }
    return runs;
  }

  hasRoomFor(offset: bigint): boolean {
    return offset < this.committed + this.span + this.recorded;
  }

  markCommitted(): void {
    this.committed = this.commitOffset;
    this.recorded = this.runs().reduce((sum, [from, to]) => sum + to - from, 0n);
  }
}

describe('FinishedOffsets', () => {
  const offsets = fc.nat({ max: 300 });
  /** A single offset, or a run. */
  const steps = fc.array(fc.tuple(offsets, fc.oneof(fc.constant(1), offsets)), { maxLength: 30 });

  it('knows a run as it would its offsets one by one', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 52n }), steps, (floor, taken) => {
        const filled = new FinishedOffsets(floor);
        const single = new FinishedOffsets(floor);
        let near = floor;
        for (const [from, length] of taken) {
          // Around the floor, where runs begin below it, at it, and above it, farther than there is room so far.
          const start = single.floor + BigInt(from * from) / 30n - 20n;
          near = start + BigInt(length);
          if (length === 1) filled.add(start);
          else filled.addRun(start, near);
          for (let offset = start; offset < near; offset++) single.add(offset);
          expect(filled.floor).toBe(single.floor);
          expect(filled.runs(1000)).toEqual(single.runs(1000));
          for (const each of [start - 1n, start, near - 1n, near])
            expect(filled.has(each)).toBe(single.has(each));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes no room for a run at its floor, however long', () => {
    const finished = new FinishedOffsets(7n);
    finished.addRun(7n, 2n ** 60n);
    finished.add(2n ** 60n + 1n);
    expect(finished.floor).toBe(2n ** 60n);
    expect(finished.runs(2)).toEqual([[2n ** 60n + 1n, 2n ** 60n + 2n]]);
  });
});

describe('OffsetWindow, beside a naive one', () => {
  const span = 2500;
  const start = fc.bigInt({ min: 0n, max: 2n ** 52n });
  /** How far above the committed offset a record finishes; a commit where there is none. */
  const steps = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.nat({ max: 40 }) },
      { weight: 2, arbitrary: fc.nat({ max: span - 1 }) },
      { weight: 1, arbitrary: fc.constant(undefined) },
    ),
    { minLength: 1, maxLength: 400 },
  );

  it('knows the same after each step', () => {
    fc.assert(
      fc.property(start, steps, (first, taken) => {
        const window = new OffsetWindow(first, span);
        const naive = new NaiveWindow(first, BigInt(span));
        for (const step of taken) {
          const offset = window.committedOffset + BigInt(step ?? 0);
          expect(window.hasRoomFor(offset)).toBe(naive.hasRoomFor(offset));
          if (step === undefined) {
            const progress = window.toCommit();
            if (progress) window.markCommitted(progress);
            naive.markCommitted();
          } else {
            window.finish(offset);
            naive.finish(offset);
          }
          expect(step === undefined ? window.toCommit() : undefined).toBeUndefined();
          for (const near of [offset - 1n, offset, offset + 1n, offset + 32n])
            expect(window.isFinished(near)).toBe(naive.isFinished(near));
          expect(window.commitOffset).toBe(naive.commitOffset);
          expect(window.hasRoomFor(first + BigInt(span))).toBe(naive.hasRoomFor(first + BigInt(span)));
        }
        expect(window.runs()).toEqual(naive.runs());
      }),
      { numRuns: 100 },
    );
  });

  it('is what the next owner begins with, by its commit, as far as that has room', () => {
    fc.assert(
      fc.property(start, steps, (first, taken) => {
        const window = new OffsetWindow(first, span);
        for (const step of taken) if (step !== undefined) window.finish(first + BigInt(step));
        const { offset, metadata } = window.toCommit() ?? { offset: first, metadata: '' };
        const next = new OffsetWindow(offset, span, decodeRuns(offset, metadata, span));
        expect(next.commitOffset).toBe(window.commitOffset);
        expect(next.runs()).toEqual(window.runs().slice(0, next.runs().length));
        expect(metadata.length).toBeLessThanOrEqual(4000);
        // Far from full, nothing was left out.
        expect(metadata.length > 3900 || next.runs().length === window.runs().length).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('moves on through a log for ever, in any order within its span', () => {
    const window = new OffsetWindow(0n, 1000);
    const block = 700n;
    for (let base = 0n; base < 100_000n; base += block) {
      for (let n = block - 1n; n > 0n; n--) window.finish(base + n);
      expect(window.commitOffset).toBe(base);
      expect(window.runs()).toEqual([[base + 1n, base + block]]);
      window.finish(base);
      expect(window.commitOffset).toBe(base + block);
      window.markCommitted({ offset: window.commitOffset, metadata: '', recorded: 0 });
    }
  });
});

describe('the metadata of a commit', () => {
  it('carries the runs that are finished above the committed offset', () => {
    const window = new OffsetWindow(1_000_000n, 1000);
    for (const offset of [3n, 4n, 5n, 9n, 40n]) window.finish(1_000_000n + offset);
    const runs = window.runs();
    expect(runs).toEqual([
      [1_000_003n, 1_000_006n],
      [1_000_009n, 1_000_010n],
      [1_000_040n, 1_000_041n],
    ]);
    expect(decodeRuns(1_000_000n, encodeRuns(1_000_000n, runs).metadata, 1000)).toEqual(runs);
  });

  it('stays within what Kafka stores, dropping the farthest runs', () => {
    const runs = Array.from({ length: 5000 }, (_, n) => [BigInt(n * 2 + 1), BigInt(n * 2 + 2)] as const);
    const { metadata: text, recorded } = encodeRuns(0n, runs);
    expect(text.length).toBeLessThanOrEqual(4096);
    const kept = decodeRuns(0n, text, 100_000);
    expect(kept.length).toBeGreaterThan(900);
    expect(kept).toEqual(runs.slice(0, kept.length));
    expect(recorded).toBe(kept.reduce((sum, [from, to]) => sum + Number(to - from), 0));
  });

  it('keeps what lies within a span that has become shorter', () => {
    const runs = [
      [1n, 5n],
      [8n, 12n],
      [100n, 200n],
    ] as const;
    expect(decodeRuns(0n, encodeRuns(0n, runs).metadata, 50)).toEqual(runs.slice(0, 2));
    expect(decodeRuns(0n, encodeRuns(0n, runs).metadata, 150)).toEqual([...runs.slice(0, 2), [100n, 150n]]);
    expect(decodeRuns(0n, encodeRuns(0n, [[1n, 150_000n]]).metadata, 32_000)).toEqual([[1n, 32_000n]]);
  });

  it.each(['', null, 'something else', 'q1:zz', 'q1:1.1 x', 'q1:1.zzzzzzzzz'])('ignores %j', (metadata) => {
    expect(decodeRuns(0n, metadata, 1000)).toEqual([]);
  });
});
