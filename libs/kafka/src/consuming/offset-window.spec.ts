import { describe, expect, it } from 'vitest';
import { decodeRuns, encodeRuns } from './commit-metadata.js';
import { OffsetWindow } from './offset-window.js';

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
    window.markCommitted(3n, '');
    expect(window.hasRoomFor(5n)).toBe(true);
    expect(window.hasRoomFor(6n)).toBe(false);
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
    expect(decodeRuns(1_000_000n, encodeRuns(1_000_000n, runs), 1000)).toEqual(runs);
  });

  it('stays within what Kafka stores, dropping the farthest runs', () => {
    const runs = Array.from({ length: 5000 }, (_, n) => [BigInt(n * 2 + 1), BigInt(n * 2 + 2)] as const);
    const text = encodeRuns(0n, runs);
    expect(text.length).toBeLessThanOrEqual(4096);
    const kept = decodeRuns(0n, text, 100_000);
    expect(kept.length).toBeGreaterThan(900);
    expect(kept).toEqual(runs.slice(0, kept.length));
  });

  it.each(['', null, 'something else', 'q1:zz', 'q1:1.1 x', 'q1:1.zzzzzzzzz'])('ignores %j', (metadata) => {
    expect(decodeRuns(0n, metadata, 1000)).toEqual([]);
  });
});
