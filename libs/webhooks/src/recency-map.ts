/** A map that holds a bounded number of entries, those used most recently. */
export class RecencyMap<Value> {
  // A Map iterates in order of insertion: what is used is inserted anew, so the first is the one used longest ago.
  private readonly entries = new Map<string, Value>();

  /**
   * @param size exceeded only while nothing may be given up
   * @param mayDrop whether an entry may be given up now
   */
  constructor(
    private readonly size: number,
    private readonly mayDrop: (value: Value) => boolean = () => true,
  ) {}

  get(key: string): Value | undefined {
    const value = this.entries.get(key);
    if (value !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  /** @returns what was given up to make room for it */
  set(key: string, value: Value): Value[] {
    this.entries.delete(key);
    const dropped = this.entries.size < this.size ? [] : this.drop(this.entries.size - this.size + 1);
    this.entries.set(key, value);
    return dropped;
  }

  values(): IterableIterator<Value> {
    return this.entries.values();
  }

  clear(): void {
    this.entries.clear();
  }

  private drop(count: number): Value[] {
    const dropped: Value[] = [];
    for (const [key, value] of this.entries) {
      if (dropped.length === count) break;
      if (!this.mayDrop(value)) continue;
      this.entries.delete(key);
      dropped.push(value);
    }
    return dropped;
  }
}
