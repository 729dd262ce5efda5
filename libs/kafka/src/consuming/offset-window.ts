/** Offsets finished above the committed one, as half-open runs in rising order. */
export type FinishedRuns = readonly (readonly [from: bigint, to: bigint])[];

/**
 * What is in flight and what is finished of one partition, as a span of offsets: nothing is handed over
 * that lies `span` or more above the committed offset. So one slow record at the head bounds what a crash
 * can repeat, however fast the records behind it finish.
 */
export class OffsetWindow {
  /** Every offset below is finished. */
  private prefix: bigint;
  /** Finished offsets at or above `prefix`. */
  private readonly finished = new Set<bigint>();
  /** Where the next commit would begin; what Kafka has. */
  private committed: bigint;
  private committedRuns = '';

  /**
   * @param start the offset to begin with: the committed one
   * @param already offsets above it that an earlier owner had finished
   */
  constructor(
    start: bigint,
    private readonly span: number,
    already: FinishedRuns = [],
  ) {
    this.prefix = start;
    this.committed = start;
    for (const [from, to] of already)
      for (let offset = from; offset < to; offset++) this.finished.add(offset);
    this.advance();
  }

  hasRoomFor(offset: bigint): boolean {
    return offset - this.committed < BigInt(this.span);
  }

  isFinished(offset: bigint): boolean {
    return offset < this.prefix || this.finished.has(offset);
  }

  finish(offset: bigint): void {
    if (offset < this.prefix) return;
    this.finished.add(offset);
    if (offset === this.prefix) this.advance();
  }

  /** Offsets that do not exist in the log (deleted before they were read) count as finished. */
  skipTo(offset: bigint): void {
    if (offset <= this.prefix) return;
    for (const done of this.finished) if (done < offset) this.finished.delete(done);
    this.prefix = offset;
    this.advance();
  }

  /** The offset to commit: the first that is not finished. */
  get commitOffset(): bigint {
    return this.prefix;
  }

  /** How far the finished prefix is ahead of what Kafka has. */
  get uncommitted(): number {
    return Number(this.prefix - this.committed);
  }

  /** The finished offsets above `commitOffset`, as runs. */
  runs(): FinishedRuns {
    const sorted = [...this.finished].sort((a, b) => (a < b ? -1 : 1));
    const runs: [bigint, bigint][] = [];
    for (const offset of sorted) {
      const last = runs.at(-1);
      if (last && last[1] === offset) last[1] = offset + 1n;
      else runs.push([offset, offset + 1n]);
    }
    return runs;
  }

  /** Whether Kafka's record of this partition is older than ours. */
  isDirty(runs: string): boolean {
    return this.prefix !== this.committed || runs !== this.committedRuns;
  }

  markCommitted(offset: bigint, runs: string): void {
    if (offset > this.committed) this.committed = offset;
    this.committedRuns = runs;
  }

  private advance(): void {
    while (this.finished.delete(this.prefix)) this.prefix++;
  }
}
