import type { IncomingRecord } from '@quittance/contracts';

/** Where the catalogue's records come from: `config.v1`, one partition, read from its beginning and forever. */
export interface ConfigSource {
  /** Hands over every record, in order, and resolves once everything that stood there at the start was handed over. */
  start(onRecord: (record: IncomingRecord) => void): Promise<void>;
  /** `performance.now()` of when the last completed fetch began; 0 before the first. */
  readonly confirmedAt: number;
  /** False once reading has ended for good. */
  readonly alive: boolean;
  close(): Promise<void>;
}
