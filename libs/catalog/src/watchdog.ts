import { createContext, Script } from 'node:vm';

/** Work was stopped because it used up its time. */
export class TooSlowError extends Error {
  readonly code = 'too_slow';
  readonly retryable = false;

  constructor(limitMs: number) {
    super(`It took longer than ${limitMs} ms and was stopped.`);
  }
}

const slot: { work: (() => unknown) | undefined } = { work: undefined };
const context = createContext(slot);
const script = new Script('work()');

/**
 * Runs synchronous work and stops it when it takes too long. Costs about 0.2 ms (a watching thread), so it is for
 * work whose size says that it might.
 * @throws TooSlowError after `limitMs`
 */
export function runWithin<T>(limitMs: number, work: () => T): T {
  for (let round = 0; ; round++) {
    const before = process.threadCpuUsage();
    try {
      slot.work = work;
      return script.runInContext(context, { timeout: limitMs }) as T;
    } catch (error) {
      if (!isTimeout(error)) throw error;
      const used = process.threadCpuUsage(before);
      // The limit is wall-clock time: a process that was denied the CPU (throttled, paused) has not had its chance.
      if (round === 0 && (used.user + used.system) / 1000 < limitMs / 2) continue;
      throw new TooSlowError(limitMs);
    } finally {
      slot.work = undefined;
    }
  }
}

/** The error belongs to the script's context, whose `Error` is not ours. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}
