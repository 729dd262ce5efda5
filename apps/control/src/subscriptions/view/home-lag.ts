import { setTimeout as sleep } from 'node:timers/promises';
import type { PartitionLag } from '@quittance/kafka';

type Lag = Pick<PartitionLag, 'committed' | 'beginning' | 'end'>;

/** Asks Kafka where the dispatchers are on a partition of `deliveries.v1`. */
export type AskHomeLag = (partition: number) => Promise<Lag>;

const PATIENCE_MS = 2_000;
const PAUSE_MS = 200;

/** How many records of a home partition are not dealt with. */
export class HomeLag {
  constructor(
    private readonly ask: AskHomeLag,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** @returns `undefined` when Kafka does not tell in time */
  async of(partition: number): Promise<number | undefined> {
    const patience = new AbortController();
    try {
      return await Promise.race([
        this.untilTold(partition, patience.signal),
        sleep(this.patienceMs, undefined, { signal: patience.signal }),
      ]);
    } finally {
      patience.abort();
    }
  }

  /** A broker that has just started, or a connection that was lost, fails a question or two. */
  private async untilTold(partition: number, over: AbortSignal): Promise<number | undefined> {
    while (!over.aborted) {
      try {
        return recordsOf(await this.ask(partition));
      } catch {
        // The cause shows in the Kafka client's own log and in readiness.
        await sleep(PAUSE_MS);
      }
    }
    return undefined;
  }
}

/** What expired before it was dealt with is no backlog any more. */
function recordsOf({ committed, beginning, end }: Lag): number {
  const from = committed === undefined || committed < beginning ? beginning : committed;
  return end > from ? Number(end - from) : 0;
}
