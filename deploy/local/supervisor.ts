import type { Exit } from './processes.ts';

/** What is kept running. */
export interface Supervised {
  exited: Promise<Exit>;
  stop(): Promise<unknown>;
}

export interface SupervisorOptions<T extends Supervised> {
  /** For messages. */
  name: string;
  start: () => Promise<T>;
  log: (line: string) => void;
  /** Before the first restart; doubles with each further one. Default 500 ms. */
  firstPauseMs?: number;
  /** Default 15 s. */
  longestPauseMs?: number;
  /** A process that lived this long starts over with the first pause. Default 30 s. */
  stableAfterMs?: number;
}

/** Starts a process, and again whenever it ends by itself, with a growing pause. */
export class Supervisor<T extends Supervised> {
  private readonly options: SupervisorOptions<T>;
  private readonly stopping = new AbortController();
  private process: T | undefined;
  private watching: Promise<void> | undefined;
  private restartCount = 0;

  constructor(options: SupervisorOptions<T>) {
    this.options = options;
  }

  /** The process that runs now; `undefined` between a death and the restart. */
  get current(): T | undefined {
    return this.process;
  }

  get restarts(): number {
    return this.restartCount;
  }

  /** @throws whatever the first start throws; later failures to start are tried again */
  async start(): Promise<void> {
    this.process = await this.options.start();
    this.watching = this.watch(this.process);
  }

  /** Stops the process, and starts it no more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.process?.stop();
    await this.watching;
  }

  private async watch(first: T): Promise<void> {
    const { name, log, firstPauseMs = 500, longestPauseMs = 15_000, stableAfterMs = 30_000 } = this.options;
    let current: T | undefined = first;
    let pauseMs = firstPauseMs;
    while (!this.stopping.signal.aborted) {
      if (current) {
        const startedAt = performance.now();
        const exit = await current.exited;
        this.process = undefined;
        if (this.stopping.signal.aborted) return;
        if (performance.now() - startedAt >= stableAfterMs) pauseMs = firstPauseMs;
        log(`${name} ${describe(exit)}; it is started again in ${pauseMs / 1000} s.`);
      }
      await pause(pauseMs, this.stopping.signal);
      if (this.stopping.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      current = await this.restart();
    }
  }

  private async restart(): Promise<T | undefined> {
    const { name, log, start } = this.options;
    try {
      const started = await start();
      this.restartCount++;
      this.process = started;
      log(`${name} was started again.`);
      // Asked to stop while it started: nobody else knows of it yet.
      if (this.stopping.signal.aborted) await started.stop();
      return started;
    } catch (error) {
      log(`${name} could not be started: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }
}

function describe({ code, signal }: Exit): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
