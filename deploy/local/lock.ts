import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LocalStackError } from './errors.ts';

/**
 * Makes this process the only one that works on a data folder. A lock whose process is gone counts for nothing.
 * @returns gives the lock back
 * @throws LocalStackError `already_running`
 */
export async function acquireLock(file: string): Promise<() => Promise<void>> {
  await mkdir(dirname(file), { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    if (holder > 0 && isAlive(holder)) {
      throw new LocalStackError(
        'already_running',
        `Process ${holder} already runs the stack in ${dirname(file)}. Stop it first ` +
          `(or, if that process is something else, delete ${file}).`,
      );
    }
    await rm(file, { force: true });
  }
  throw new LocalStackError('already_running', `Another process has just taken ${file}.`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
