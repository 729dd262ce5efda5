/** A record that waits until the catalogue can say what becomes of it. */
export interface InLine {
  /** Its place: the record's offset. */
  readonly place: bigint;
  /** The catalogue's revision that it needs. */
  readonly revision: number;
  /** Lets it go on. Resolves when it has. */
  release(): Promise<unknown>;
  refuse(error: unknown): void;
}

/**
 * Records of one assignment that wait for the catalogue. They go on by their places, whenever they came: one that went on
 * before, and had to wait for something else, comes back before those that were read after it.
 */
export class CatalogueLine {
  private readonly waiting: InLine[] = [];
  private isRunning = false;

  /**
   * @param isAt whether a record of that revision may go on
   * @param whenAt resolves when that may have changed; rejects when all that waits is to be given back
   * @param onEmpty nobody waits any more
   */
  constructor(
    private readonly isAt: (revision: number) => boolean,
    private readonly whenAt: (revision: number) => Promise<void>,
    private readonly onEmpty: () => void,
  ) {}

  join(entry: InLine): void {
    const before = this.waiting.findLastIndex(({ place }) => place < entry.place);
    this.waiting.splice(before + 1, 0, entry);
    if (!this.isRunning) void this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    for (let first = this.waiting[0]; first !== undefined; first = this.waiting[0]) {
      if (this.isAt(first.revision)) {
        this.waiting.shift();
        await first.release();
        continue;
      }
      try {
        await this.whenAt(first.revision);
      } catch (error) {
        for (const { refuse } of this.waiting.splice(0)) refuse(error);
      }
    }
    this.isRunning = false;
    this.onEmpty();
  }
}
