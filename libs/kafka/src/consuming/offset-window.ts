import { encodeRuns, MOST_RUNS, type FinishedRuns } from './commit-metadata.js';
import { FinishedOffsets } from './finished-offsets.js';

/** What a partition's owner has to tell Kafka. */
export interface Progress {
  /** The first offset that is not finished. */
  offset: bigint;
  /** The finished ones above it, as far as there is room for them. */
  metadata: string;
  /** How many those are. */
  recorded: number;
}

/**
 * A window may reach so many spans above the committed offset: 320,000 offsets with the dispatcher's span, five minutes of
 * 1,000 records/s, in 40 KB of memory.
 */
const REACH = 32;

/** How far above the committed offset a window of this span may reach. */
export function reachOf(span: number): number {
  return REACH * span;
}

/**
 * What is in flight and what is finished of one partition. Of what is handed over at most `span` records can be repeated
 * after a crash: nothing is handed over that lies `span` or more above the committed offset, not counting the finished
 * ones that the commit has recorded. So a slow record at the head holds up nobody, as long as those behind it finish.
 */
export class OffsetWindow {
  private readonly finished: FinishedOffsets;
  private readonly span: bigint;
  /** Where the next commit would begin; what Kafka has. */
  private committed: bigint;
  private committedRuns: string;
  /** The first offset that may not be handed over. */
  private limit: bigint;
  /** What there is to commit, as of the last change; `undefined` after one. */
  private progress: Progress | undefined;

  /**
   * @param start the offset to begin with: the committed one
   * @param already offsets above it that an earlier owner had finished
   */
  constructor(start: bigint, span: number, already: FinishedRuns = []) {
    this.span = BigInt(span);
    this.committed = start;
    this.finished = new FinishedOffsets(start);
    for (const [from, to] of already) this.finished.addRun(from, to);
    const { metadata, recorded } = encodeRuns(start, already);
    this.committedRuns = metadata;
    this.limit = this.limitOf(recorded);
  }

  hasRoomFor(offset: bigint): boolean {
    return offset < this.limit;
  }

  isFinished(offset: bigint): boolean {
    return this.finished.has(offset);
  }

  finish(offset: bigint): void {
    this.finished.add(offset);
    this.progress = undefined;
  }

  /** Of these offsets there are no records, or none any more. */
  finishRun(from: bigint, to: bigint): void {
    this.finished.addRun(from, to);
    this.progress = undefined;
  }

  /** The offset to commit: the first that is not finished. */
  get commitOffset(): bigint {
    return this.finished.floor;
  }

  /** What Kafka has. */
  get committedOffset(): bigint {
    return this.committed;
  }

  /** Whether the finished prefix is so far ahead of what Kafka has that half the span is used up. */
  get isHalfUncommitted(): boolean {
    return (this.finished.floor - this.committed) * 2n >= this.span;
  }

  /** The finished offsets above `commitOffset`, as runs: the lowest ones, as many as a commit can hold. */
  runs(): FinishedRuns {
    return this.finished.runs(MOST_RUNS);
  }

  /** What has to be committed, or `undefined` when Kafka has it all. */
  toCommit(): Progress | undefined {
    this.progress ??= { offset: this.commitOffset, ...encodeRuns(this.commitOffset, this.runs()) };
    const { offset, metadata } = this.progress;
    return offset === this.committed && metadata === this.committedRuns ? undefined : this.progress;
  }

  markCommitted({ offset, metadata, recorded }: Progress): void {
    if (offset > this.committed) this.committed = offset;
    this.committedRuns = metadata;
    this.limit = this.limitOf(recorded);
  }

  private limitOf(recorded: number): bigint {
    const most = this.span * BigInt(REACH);
    const reach = this.span + BigInt(recorded);
    return this.committed + (reach < most ? reach : most);
  }
}
