import { Writable } from 'node:stream';
import { pino } from 'pino';
import { waitUntil } from '@quittance/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Clock } from './clock.js';

let clock: TestClock | undefined;

afterEach(() => clock?.close());

class TestClock extends Clock {
  readonly complaints: string[];
  rounds = 0;
  isThere = true;
  work: () => Promise<void> = async () => undefined;

  constructor(everyMs: number) {
    const complaints: string[] = [];
    const lines = new Writable({
      write: (line: Buffer, _encoding, done) => {
        complaints.push((JSON.parse(line.toString()) as { err: { message: string } }).err.message);
        done();
      },
    });
    super({ everyMs, complaint: 'it does not work' }, pino(lines));
    this.complaints = complaints;
  }

  protected isReady(): boolean {
    return this.isThere;
  }

  protected round(): Promise<void> {
    this.rounds++;
    return this.work();
  }
}

function started(everyMs: number, work?: () => Promise<void>): TestClock {
  clock = new TestClock(everyMs);
  if (work) clock.work = work;
  clock.start();
  return clock;
}

describe('a clock', () => {
  it('goes on after a round that failed, and complains once for each reason', async () => {
    const reasons = ['a', 'a', 'b', 'b'];
    const failing = started(1, async () => {
      const reason = reasons.shift();
      if (reason !== undefined) throw new Error(reason);
    });
    await waitUntil(() => failing.rounds > 5, { what: 'further rounds' });
    expect(failing.complaints).toEqual(['a', 'b']);
  });

  it('begins a round at once when there is something to do', async () => {
    const slow = started(3_600_000);
    await waitUntil(() => slow.rounds === 1, { what: 'the first round' });
    slow.hurry();
    await waitUntil(() => slow.rounds === 2, { what: 'the second round' });
  });

  it('does nothing while what it needs is not there', async () => {
    const waiting = new TestClock(1);
    clock = waiting;
    waiting.isThere = false;
    waiting.start();
    waiting.hurry();
    await new Promise(setImmediate);
    expect(waiting.rounds).toBe(0);
    waiting.isThere = true;
    waiting.hurry();
    await waitUntil(() => waiting.rounds > 0, { what: 'the first round' });
  });

  it('ends without waiting for ever for a round under way, and begins no other', async () => {
    const stuck = started(1, () => new Promise(() => undefined));
    await waitUntil(() => stuck.rounds === 1, { what: 'the first round' });
    await stuck.close();
    clock = undefined;
    stuck.hurry();
    await new Promise(setImmediate);
    expect(stuck.rounds).toBe(1);
  });
});
