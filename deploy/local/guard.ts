/**
 * Runs beside whoever starts processes, and reads from its standard input which ones there are. When the input
 * ends and some are left, their parent has died without stopping them (SIGKILL, a crash): it then stops them
 * and removes temporary folders. One JSON object a line: {"watch": pid, "signal": "SIGTERM"}, {"forget": pid},
 * {"remove": folder}, {"keep": folder}.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE_MS = 10_000;
const POLL_MS = 50;

interface Line {
  watch?: number;
  signal?: NodeJS.Signals;
  forget?: number;
  remove?: string;
  keep?: string;
}

const watched = new Map<number, NodeJS.Signals>();
const folders = new Set<string>();

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

for await (const text of createInterface({ input: process.stdin })) {
  const line: Line = JSON.parse(text);
  if (line.watch !== undefined) watched.set(line.watch, line.signal ?? 'SIGKILL');
  if (line.forget !== undefined) watched.delete(line.forget);
  if (line.remove !== undefined) folders.add(line.remove);
  if (line.keep !== undefined) folders.delete(line.keep);
}

for (const [pid, signal] of watched) send(pid, signal);
const deadline = Date.now() + GRACE_MS;
while ([...watched.keys()].some((pid) => send(pid, 0)) && Date.now() < deadline) await sleep(POLL_MS);
// Each was started as the leader of its own group.
for (const pid of watched.keys()) send(-pid, 'SIGKILL');
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
