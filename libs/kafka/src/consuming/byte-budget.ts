/** One process's allowance for record bytes in flight; who finds it spent is called back when there is room. */
export class ByteBudget {
  private used = 0;
  private readonly waiting = new Set<() => void>();

  /** @param limit bytes. One record is always let through, however large. */
  constructor(private readonly limit: number) {}

  get inUse(): number {
    return this.used;
  }

  /** @returns whether the bytes were taken; if not, `retry` is called once after some were given back */
  take(bytes: number, retry: () => void): boolean {
    if (this.used > 0 && this.used + bytes > this.limit) {
      this.waiting.add(retry);
      return false;
    }
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
    if (this.waiting.size === 0) return;
    const woken = [...this.waiting];
    this.waiting.clear();
    for (const retry of woken) retry();
  }

  forget(retry: () => void): void {
    this.waiting.delete(retry);
  }
}
