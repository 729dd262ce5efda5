/** What became of one item of a flush. */
export type Settled<R> = { ok: true; value: R } | { ok: false; error: Error };

export interface CoalescerOptions<T, R> {
  /** Handles a batch; answers one result per item, in order. A rejection fails every item of the batch. */
  flush(items: T[]): Promise<Settled<R>[]>;
  /** Largest batch, in items. */
  maxItems: number;
  /** Largest batch, in bytes by `sizeOf`; a larger item goes alone. Default: no limit. */
  maxBytes?: number;
  sizeOf?: (item: T) => number;
  /**
   * How long after a batch of so many items the next one gathers, ms; 0: it goes at once. When idle nothing waits:
   * a first item is flushed at once; nor when a whole batch waits already. Default: no pause.
   */
  pauseAfter?: (items: number) => number;
}

interface Entry<T, R> {
  item: T;
  settle: (result: Settled<R>, item: T) => void;
}

/**
 * Turns single items into batches without a fixed delay: flush at once if nothing is under way, else
 * collect until the running flush returns.
 */
export class Coalescer<T, R> {
  private queue: Entry<T, R>[] = [];
  private head = 0;
  private running = false;
  private idleWaiters: (() => void)[] = [];

  constructor(private readonly options: CoalescerOptions<T, R>) {}

  /** Items that wait or are under way. */
  get size(): number {
    return this.queue.length - this.head + this.underWay;
  }

  private underWay = 0;

  /** Resolves or rejects with this item's own result. */
  add(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.push(item, (result) => (result.ok ? resolve(result.value) : reject(result.error)));
    });
  }

  /** As `add`, for callers that count instead of holding a promise per item; many items may share one function. */
  push(item: T, settle: (result: Settled<R>, item: T) => void): void {
    this.queue.push({ item, settle });
    if (!this.running) {
      this.running = true;
      // Whatever else is added in this turn of the event loop belongs to the same batch.
      setImmediate(() => void this.run());
    }
  }

  /** Resolves once nothing waits and nothing is under way. */
  whenIdle(): Promise<void> {
    if (!this.running) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  private async run(): Promise<void> {
    while (this.head < this.queue.length) {
      const batch = this.take();
      this.underWay = batch.length;
      let results: Settled<R>[];
      try {
        results = await this.options.flush(batch.map((entry) => entry.item));
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error));
        results = batch.map(() => ({ ok: false, error: failure }));
      }
      this.underWay = 0;
      for (const [index, entry] of batch.entries()) {
        entry.settle(
          results[index] ?? { ok: false, error: new Error('The flush gave no result for this item.') },
          entry.item,
        );
      }
      const isBatchWaiting = this.queue.length - this.head >= this.options.maxItems;
      const pauseMs = isBatchWaiting ? 0 : (this.options.pauseAfter?.(batch.length) ?? 0);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    this.running = false;
    for (const wake of this.idleWaiters.splice(0)) wake();
  }

  private take(): Entry<T, R>[] {
    const { maxItems, maxBytes = Infinity, sizeOf } = this.options;
    let end = this.head;
    let bytes = 0;
    while (end < this.queue.length && end - this.head < maxItems) {
      if (sizeOf) {
        bytes += sizeOf(this.queue[end]!.item);
        if (bytes > maxBytes && end > this.head) break;
      }
      end++;
    }
    const batch = this.queue.slice(this.head, end);
    this.head = end;
    if (this.head === this.queue.length) {
      this.queue = [];
      this.head = 0;
    } else if (this.head > 4096) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return batch;
  }
}
