interface Waiter {
  readonly goal: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Callers that wait until a rising number reaches theirs. Sorted, so that a step looks at none but those it frees. */
export class Waiters {
  private readonly sorted: Waiter[] = [];

  get size(): number {
    return this.sorted.length;
  }

  /** @param late makes the error for when `timeoutMs` passed first */
  wait(goal: number, timeoutMs: number, late: () => Error): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.sorted.splice(this.sorted.indexOf(waiter), 1);
        reject(late());
      }, timeoutMs);
      const waiter: Waiter = { goal, resolve, reject, timer };
      this.sorted.splice(this.position(goal), 0, waiter);
    });
  }

  /** Frees everyone whose goal is at most `reached`. */
  advance(reached: number): void {
    const count = this.position(reached);
    if (count === 0) return;
    for (const waiter of this.sorted.splice(0, count)) {
      clearTimeout(waiter.timer);
      waiter.resolve();
    }
  }

  rejectAll(error: Error): void {
    for (const waiter of this.sorted.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(error);
    }
  }

  /** How many have a goal of at most `goal`. */
  private position(goal: number): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]!.goal <= goal) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
