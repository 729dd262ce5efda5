import { afterEach, describe, expect, it } from 'vitest';
import { waitUntil } from '@quittance/testing';
import { startProcess, type OwnedProcess } from './processes.ts';
import { Supervisor } from './supervisor.ts';

const FOREVER = 'setInterval(() => {}, 1000)';
let supervisor: Supervisor<OwnedProcess>;
const lines: string[] = [];

function supervise(script: string, options: { firstPauseMs?: number; longestPauseMs?: number } = {}) {
  lines.length = 0;
  supervisor = new Supervisor({
    name: 'worker',
    log: (line) => lines.push(line),
    firstPauseMs: 5,
    ...options,
    start: () =>
      startProcess({
        command: process.execPath,
        args: ['-e', script],
        output: 'pipe',
        stopSignal: 'SIGTERM',
        graceMs: 5_000,
      }),
  });
  return supervisor.start();
}

afterEach(() => supervisor.stop());

describe('a supervised process', () => {
  it('is started again when it is killed, and both is said', async () => {
    await supervise(FOREVER);
    const first = supervisor.current;
    await first?.kill();
    const second = await waitUntil(() => supervisor.current, { what: 'the restart' });
    expect(second.pid).not.toBe(first?.pid);
    expect(second.running).toBe(true);
    expect(supervisor.restarts).toBe(1);
    expect(lines).toEqual([
      'worker was ended by SIGKILL; it is started again in 0.005 s.',
      'worker was started again.',
    ]);
  });

  it('that keeps dying is started again after pauses that grow to a limit', async () => {
    await supervise('process.exit(3)', { firstPauseMs: 5, longestPauseMs: 20 });
    await waitUntil(() => supervisor.restarts >= 4, { what: 'four restarts' });
    const pauses = lines.flatMap((line) => /exit code 3; .* in (\S+) s/.exec(line)?.[1] ?? []);
    expect(pauses.slice(0, 4)).toEqual(['0.005', '0.01', '0.02', '0.02']);
  });

  it('is not started again once it was stopped', async () => {
    await supervise(FOREVER);
    const process = supervisor.current;
    await supervisor.stop();
    expect(process?.running).toBe(false);
    expect(supervisor.restarts).toBe(0);
    expect(lines).toEqual([]);
  });
});
