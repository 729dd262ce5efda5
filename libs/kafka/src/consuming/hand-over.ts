import { setMaxListeners } from 'node:events';

/** Whether records are still handed over under an assignment, for those who have to know when that ends. */
export class HandOver {
  private readonly controller = new AbortController();
  private readonly sleepers = new Set<() => void>();

  constructor() {
    // Handlers of a whole window may listen at once.
    setMaxListeners(0, this.controller.signal);
  }

  /** Aborts when nothing is handed over any more. */
  get over(): AbortSignal {
    return this.controller.signal;
  }

  /** Resolves after `ms`, or as soon as this ends, or ends for good. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.sleepers.add(wake);
    });
  }

  /** May be called again: whoever sleeps by then is woken, too. */
  end(): void {
    this.controller.abort(new Error('Nothing is handed over any more.'));
    for (const wake of this.sleepers) wake();
  }
}
