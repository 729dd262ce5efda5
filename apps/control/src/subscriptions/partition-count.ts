import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';

/** Asks Kafka how many partitions `deliveries.v1` has. */
export type CountPartitions = () => Promise<number>;
export const COUNT_PARTITIONS = Symbol('COUNT_PARTITIONS');

/** Partitions are added by hand, rarely; a home on an old one is never wrong. */
const COUNT_VALID_MS = 60_000;
const PATIENCE_MS = 2_000;

/** How many partitions `deliveries.v1` has, as far as it is known. */
@Injectable()
export class PartitionCount {
  private asking: Promise<void> | undefined;
  private known: { count: number; at: number } | undefined;

  constructor(@Inject(COUNT_PARTITIONS) private readonly ask: CountPartitions) {}

  /** Without asking anybody. */
  get last(): number | undefined {
    return this.known?.count;
  }

  /** @returns the last known count while Kafka is away; `undefined` when none was ever known */
  async current(): Promise<number | undefined> {
    if (!this.known) await this.refresh();
    else if (performance.now() - this.known.at > COUNT_VALID_MS) void this.refresh();
    return this.known?.count;
  }

  /** Asked of Kafka now, for whom the last known count will not do. */
  async latest(): Promise<number | undefined> {
    // What was asked before may be answered with what was true before.
    if (this.asking) await waitFor(this.asking);
    await this.refresh();
    return this.known?.count;
  }

  /** All who ask at the same time share one question. */
  private async refresh(): Promise<void> {
    this.asking ??= this.ask()
      .then((count) => {
        if (count > 0) this.known = { count, at: performance.now() };
      })
      // The cause shows in the Kafka client's own log and in readiness.
      .catch(() => undefined)
      .finally(() => {
        this.asking = undefined;
      });
    await waitFor(this.asking);
  }
}

/** Not longer than a client would. */
async function waitFor(answer: Promise<void>): Promise<void> {
  const patience = new AbortController();
  await Promise.race([
    answer,
    sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
  ]);
  patience.abort();
}
