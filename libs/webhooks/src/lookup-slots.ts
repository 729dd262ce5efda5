import { LookupFailedError } from './lookup-error.js';

/** How a name did when it was last looked up. */
export type Standing = 'proven' | 'unknown' | 'failing';

const STANDINGS = ['proven', 'unknown', 'failing'] as const satisfies Standing[];
const MAX_WAITING = 4096;

/**
 * The look-ups that may run at a time. Names that have proven good come first, and always find a place that names of
 * unknown standing must leave free; names that failed may take half of the places.
 */
export class LookupSlots {
  private readonly limits: Readonly<Record<Standing, number>>;
  private readonly waiting: Readonly<Record<Standing, (() => void)[]>> = {
    proven: [],
    unknown: [],
    failing: [],
  };
  private running = 0;

  /** @param size at least 1; of one place, there is none to reserve */
  constructor(size: number) {
    this.limits = {
      proven: size,
      unknown: Math.max(1, size - 1),
      failing: Math.max(1, Math.floor(size / 2)),
    };
  }

  /**
   * Resolves when the look-up may begin.
   * @returns to be called once, when it is over
   * @throws LookupFailedError when too many wait already
   */
  async enter(standing: Standing): Promise<() => void> {
    if (this.running >= this.limits[standing]) {
      if (this.waitingCount() >= MAX_WAITING) {
        throw new LookupFailedError('Too many host names wait to be resolved');
      }
      await new Promise<void>((resolve) => this.waiting[standing].push(resolve));
    } else {
      this.running++;
    }
    return () => this.leave();
  }

  private leave(): void {
    this.running--;
    for (const standing of STANDINGS) {
      const queue = this.waiting[standing];
      while (queue.length > 0 && this.running < this.limits[standing]) {
        this.running++;
        queue.shift()!();
      }
    }
  }

  private waitingCount(): number {
    return STANDINGS.reduce((count, standing) => count + this.waiting[standing].length, 0);
  }
}
