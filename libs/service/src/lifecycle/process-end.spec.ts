import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { createLogger } from '../logging/logger.js';
import { endOnSignals, type Ending } from './process-end.js';

const EVENTS = ['SIGTERM', 'SIGINT', 'unhandledRejection', 'uncaughtException'] as const;

describe('endOnSignals', () => {
  let lines: { level: string; msg: string }[];
  let exit: MockInstance<typeof process.exit>;
  let before: Map<string, NodeJS.SignalsListener[]>;

  const begin = (close: Ending['close']) => {
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as { level: string; msg: string });
        done();
      },
    });
    endOnSignals(createLogger({ service: 's', version: '1', level: 'info', destination }), { close });
  };
  const send = (event: (typeof EVENTS)[number], argument: unknown) => {
    for (const listener of process.listeners(event as 'SIGTERM')) {
      if (!before.get(event)?.includes(listener)) (listener as (argument: unknown) => void)(argument);
    }
  };

  beforeEach(() => {
    lines = [];
    exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    before = new Map(EVENTS.map((event) => [event, process.listeners(event as 'SIGTERM')]));
  });
  afterEach(() => {
    for (const event of EVENTS) {
      for (const listener of process.listeners(event as 'SIGTERM')) {
        if (!before.get(event)?.includes(listener)) process.off(event, listener);
      }
    }
    vi.useRealTimers();
    exit.mockRestore();
  });

  it('closes on SIGTERM and exits with 0', async () => {
    let closed = false;
    begin(async () => {
      closed = true;
    });
    send('SIGTERM', 'SIGTERM');
    await expect.poll(() => exit.mock.calls).toEqual([[0]]);
    expect(closed).toBe(true);
  });

  it('exits with 1 when closing fails', async () => {
    begin(() => Promise.reject(new Error('no')));
    send('SIGINT', 'SIGINT');
    await expect.poll(() => exit.mock.calls).toEqual([[1]]);
  });

  it('exits at once on a second signal', async () => {
    begin(() => new Promise(() => undefined));
    send('SIGTERM', 'SIGTERM');
    send('SIGTERM', 'SIGTERM');
    await expect.poll(() => exit.mock.calls).toEqual([[1]]);
  });

  it('names what hung, and exits with 1 after 25 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    begin((enter) => {
      enter('draining consumers');
      return new Promise(() => undefined);
    });
    send('SIGTERM', 'SIGTERM');
    await vi.advanceTimersByTimeAsync(24_000);
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    vi.useRealTimers();
    await expect.poll(() => exit.mock.calls).toEqual([[1]]);
    expect(lines.at(-1)).toMatchObject({
      level: 'fatal',
      msg: expect.stringContaining('draining consumers'),
    });
  });

  it.each(['unhandledRejection', 'uncaughtException'] as const)(
    'logs an %s as fatal and exits with 1',
    async (event) => {
      begin(() => Promise.resolve());
      send(event, new Error('nobody caught this'));
      await expect.poll(() => exit.mock.calls).toEqual([[1]]);
      expect(lines.at(-1)).toMatchObject({ level: 'fatal', err: { message: 'nobody caught this' } });
    },
  );
});
