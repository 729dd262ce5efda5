import type { IncomingRecord } from '@quittance/contracts';

/** Records per second that one partition of a retry topic releases at most. */
const RELEASES_PER_SECOND = 2000;
/** Timers are exact to a millisecond or two: so much may be released at once. */
const BURST_MS = 5;

interface Lane {
  offset: bigint;
  /** When the record of that offset may be released. */
  at: number;
}

/**
 * When a record of a retry topic may be released: when it is due, and spread a little. What was put off together would
 * otherwise come back all at once, to the subscriber and to the partitions of everybody else.
 */
export class ReleasePacer {
  private readonly lanes = new Map<string, Lane>();

  /** @param delays of each retry topic, milliseconds from the broker's append */
  constructor(private readonly delays: ReadonlyMap<string, number>) {}

  availableAt(record: IncomingRecord, now = Date.now()): number {
    const due = record.timestamp + (this.delays.get(record.topic) ?? 0);
    const key = `${record.topic} ${record.partition}`;
    const lane = this.lanes.get(key);
    // One that is read anew, after the partition was lost, comes before the one that was looked at last.
    if (!lane || record.offset < lane.offset) {
      this.lanes.set(key, { offset: record.offset, at: due });
      return due;
    }
    if (lane.offset === record.offset) return lane.at;
    const slot = Math.max(lane.at, now - BURST_MS) + 1000 / RELEASES_PER_SECOND;
    lane.at = Math.max(due, slot);
    lane.offset = record.offset;
    return lane.at;
  }
}
