/**
 * One process's allowance for record bytes in flight, shared by its assigned partitions. Half of it is divided evenly:
 * each partition's part is its own, whatever the others have in flight. The other half is a pool for whoever comes
 * first, so one partition that holds all it can get takes nothing from the others but the pool.
 */
export class ByteBudget {
  private readonly shares = new Set<ByteShare>();
  /** Those that wait for the pool, in the order in which they came. */
  private readonly waiting = new Set<ByteShare>();
  /** Whose turn at the pool it is, while there are others that wait. */
  private turn: ByteShare | undefined;
  private open = 0;
  private guaranteed: number;
  private pooled = 0;
  private readonly pool: number;

  /** @param limit bytes. One record of each partition is always let through, however large. */
  constructor(private readonly limit: number) {
    this.pool = Math.ceil(limit / 2);
    this.guaranteed = limit - this.pool;
  }

  /** Bytes in flight. */
  get inUse(): number {
    let sum = 0;
    for (const share of this.shares) sum += share.used;
    return sum;
  }

  /** What every partition can have at any time. */
  get guaranteedBytes(): number {
    return this.guaranteed;
  }

  /**
   * A partition's share.
   * @param retry called when a refused `take` may succeed now
   */
  share(retry: () => void): ByteShare {
    const share = new ByteShare(this, retry);
    this.shares.add(share);
    this.open++;
    this.divide();
    return share;
  }

  /** Only for `ByteShare`. */
  take(share: ByteShare, bytes: number): boolean {
    const demand = this.demand(share, bytes);
    if (demand > 0 && (demand > this.pool - this.pooled || !this.isNext(share))) {
      share.wanted = bytes;
      this.waiting.add(share);
      return false;
    }
    if (this.turn === share) this.turn = undefined;
    this.waiting.delete(share);
    this.use(share, bytes);
    return true;
  }

  /** Only for `ByteShare`. */
  give(share: ByteShare, bytes: number): void {
    this.use(share, -bytes);
    if (!share.isOpen && share.used === 0) this.shares.delete(share);
    this.wake();
  }

  /** Only for `ByteShare`. */
  forget(share: ByteShare): void {
    this.waiting.delete(share);
  }

  /** Only for `ByteShare`: what it still has in flight is the pool's from now on. */
  close(share: ByteShare): void {
    this.waiting.delete(share);
    if (share.used === 0) this.shares.delete(share);
    this.open--;
    this.divide();
    this.wake();
  }

  /** How much of `bytes` the pool would have to give. */
  private demand(share: ByteShare, bytes: number): number {
    if (share.used === 0) return 0;
    return Math.max(0, share.used + bytes - this.guaranteed) - this.excess(share);
  }

  private isNext(share: ByteShare): boolean {
    if (this.turn) return this.turn === share;
    const [first] = this.waiting;
    return first === undefined || first === share;
  }

  private use(share: ByteShare, bytes: number): void {
    this.pooled -= this.excess(share);
    share.used += bytes;
    this.pooled += this.excess(share);
  }

  private excess(share: ByteShare): number {
    return Math.max(0, share.used - (share.isOpen ? this.guaranteed : 0));
  }

  private divide(): void {
    this.guaranteed = Math.floor((this.limit - this.pool) / Math.max(1, this.open));
    this.pooled = 0;
    for (const share of this.shares) this.pooled += this.excess(share);
  }

  /** One record each, in turn. Nobody overtakes at the pool; who needs it no more does not wait for it. */
  private wake(): void {
    let isPoolOpen = true;
    for (const share of this.waiting) {
      const demand = this.demand(share, share.wanted);
      isPoolOpen &&= demand <= this.pool - this.pooled;
      if (demand > 0 && !isPoolOpen) continue;
      this.waiting.delete(share);
      this.turn = share;
      share.retry();
      this.turn = undefined;
    }
  }
}

/** One assigned partition's part of the budget. */
export class ByteShare {
  /** Bytes in flight. */
  used = 0;
  /** What the last refused `take` was for. */
  wanted = 0;
  isOpen = true;

  /** Made by `ByteBudget.share`. */
  constructor(
    private readonly budget: ByteBudget,
    readonly retry: () => void,
  ) {}

  /** @returns whether the bytes were taken; if not, `retry` is called once they may be */
  take(bytes: number): boolean {
    return this.budget.take(this, bytes);
  }

  give(bytes: number): void {
    this.budget.give(this, bytes);
  }

  /** Waits no more. */
  forget(): void {
    this.budget.forget(this);
  }

  /** The partition is ours no more. What is in flight of it is given back later. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.budget.close(this);
  }
}
