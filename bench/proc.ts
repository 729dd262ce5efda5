import { readFileSync } from 'node:fs';

export interface ProcessStat {
  /** Clock ticks in user and system mode, of all threads and of children that were waited for. */
  ticks: number;
  /** Clock ticks after the machine's start: tells a process from a later one with its id. */
  startedAt: number;
}

/** `undefined` when there is no such process. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** The name, second and in parentheses, may hold anything: what is looked for stands behind its end. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime and cstime are fields 14 to 17 of proc(5), starttime is 22; `fields` begins with the third.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { ticks, startedAt: Number(fields[19]) };
}

/** The process and all its living descendants. */
export function treeOf(pid: number): number[] {
  const found = [pid];
  for (const one of found) {
    const children = read(`/proc/${one}/task/${one}/children`) ?? '';
    for (const child of children.split(' ')) if (child.trim() !== '') found.push(Number(child));
  }
  return found;
}

/** Resident pages of processes that belong together: what each has for itself, and the largest shared part. */
export function memoryOf(pids: readonly number[]): number {
  let own = 0;
  let shared = 0;
  for (const pid of pids) {
    const fields = read(`/proc/${pid}/statm`)?.split(' ').map(Number);
    const [, resident = 0, common = 0] = fields ?? [];
    own += resident - common;
    shared = Math.max(shared, common);
  }
  return own + shared;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
