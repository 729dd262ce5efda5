import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventGathering } from './event-gathering.js';

const LONGEST_MS = 1_500;

let passed: string[];
let isBusy: boolean;
let gathering: EventGathering<string>;

beforeEach(() => {
  vi.useFakeTimers();
  passed = [];
  isBusy = true;
  gathering = new EventGathering<string>({
    pass: (item) => void passed.push(item),
    longestMs: LONGEST_MS,
    isWorthIt: () => isBusy,
  });
});
afterEach(() => {
  gathering.close();
  vi.useRealTimers();
});

describe('what is told of an event', () => {
  it('is passed on together when each delivery has an outcome', () => {
    gathering.event('e', 'event');
    gathering.routed('e', ['a', 'b'], 'routed');
    gathering.outcome('b', 'b delivered');
    expect([passed, gathering.size]).toEqual([[], 3]);
    gathering.outcome('a', 'a failed');
    expect(passed).toEqual(['event', 'routed', 'b delivered', 'a failed']);
    gathering.outcome('a', 'a delivered');
    expect([passed.at(-1), gathering.size]).toEqual(['a delivered', 0]);
  });

  it('is whole when it is routed to nobody, or a duplicate', () => {
    gathering.event('e', 'event');
    gathering.routed('e', [], 'routed');
    expect(passed).toEqual(['event', 'routed']);
  });

  it('is kept without the event where that came before', () => {
    gathering.routed('e', ['a'], 'routed');
    expect(passed).toEqual([]);
    gathering.outcome('a', 'delivered');
    expect(passed).toEqual(['routed', 'delivered']);
  });

  it('is passed on after a while in any case, and what follows at once', () => {
    gathering.event('e', 'event');
    vi.advanceTimersByTime(1_000);
    gathering.event('f', 'other');
    gathering.routed('e', ['a'], 'routed');
    vi.advanceTimersByTime(600);
    expect(passed).toEqual(['event', 'routed']);
    gathering.outcome('a', 'delivered');
    expect(passed).toEqual(['event', 'routed', 'delivered']);
    vi.advanceTimersByTime(1_000);
    expect(passed.at(-1)).toBe('other');
    expect(gathering.size).toBe(0);
  });

  it('is passed on at once, in what order it comes, where it is not worth it, but what is begun goes on', () => {
    gathering.event('begun', 'begun');
    isBusy = false;
    gathering.outcome('a', 'delivered');
    gathering.event('e', 'event');
    gathering.routed('e', ['a'], 'routed');
    expect(passed).toEqual(['delivered', 'event', 'routed']);
    gathering.routed('begun', ['b'], 'begun routed');
    gathering.outcome('b', 'begun delivered');
    expect(passed.slice(3)).toEqual(['begun', 'begun routed', 'begun delivered']);
  });

  it('is told again without being kept: a repetition, of the event or its routing', () => {
    gathering.event('e', 'event');
    gathering.event('e', 'event again');
    expect(passed).toEqual(['event again']);
    gathering.routed('e', ['a'], 'routed');
    gathering.routed('e', ['a'], 'routed again');
    gathering.outcome('a', 'delivered');
    vi.advanceTimersByTime(LONGEST_MS + 100);
    expect([...passed].sort()).toEqual(
      ['delivered', 'event', 'event again', 'routed', 'routed again'].sort(),
    );
    expect(gathering.size).toBe(0);
  });

  it('is all passed on when it closes, and nothing is kept after that', () => {
    gathering.event('e', 'event');
    gathering.routed('f', ['a'], 'routed');
    gathering.close();
    gathering.event('g', 'later');
    expect(passed).toEqual(['event', 'routed', 'later']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
