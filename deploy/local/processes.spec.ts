import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { waitUntil } from '@quittance/testing';
import { startProcess } from './processes.ts';

const PROCESSES = join(import.meta.dirname, 'processes.ts');

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a process of ours', () => {
  it('is killed when it does not end within its grace', async () => {
    const stubborn = await startProcess({
      command: process.execPath,
      args: ['-e', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'],
      output: 'pipe',
      stopSignal: 'SIGTERM',
      graceMs: 50,
    });
    await once(stubborn.child.stdout!, 'data');
    expect(await stubborn.stop()).toEqual({ code: null, signal: 'SIGKILL' });
    expect(stubborn.running).toBe(false);
  });

  it('that cannot be started says why', async () => {
    await expect(
      startProcess({ command: '/no/such', args: [], output: 'pipe', stopSignal: 'SIGTERM', graceMs: 1 }),
    ).rejects.toThrow('ENOENT');
  });

  it('ends, and temporary folders go, when its parent is killed without a chance to stop it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quittance-orphan-'));
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { startProcess, removeFolderAtDeath } from ${JSON.stringify(PROCESSES)};
         removeFolderAtDeath(${JSON.stringify(folder)});
         const child = await startProcess({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'],
           output: 'pipe', stopSignal: 'SIGTERM', graceMs: 1000 });
         console.log(child.pid);
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    const pid = Number(line);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitUntil(() => !isAlive(pid), { what: 'the orphan to end' });
    await waitUntil(() => !existsSync(folder), { what: 'its folder to go' });
  });
});
