import { Catalogue } from '@quittance/catalog';
import { decodeConfigChange, type IncomingRecord, type OutgoingRecord } from '@quittance/contracts';

/** Stands where `config.v1` stands: replicas write to it and follow it. */
export class ConfigLog {
  readonly records: IncomingRecord[] = [];
  readonly followers: ((record: IncomingRecord) => void)[] = [];
  /** Kafka does not take these. */
  refuses: (record: OutgoingRecord) => boolean = () => false;

  async publishAll(records: OutgoingRecord[]): Promise<void> {
    for (const record of records) {
      if (this.refuses(record)) throw new Error('no broker');
      const written: IncomingRecord = {
        topic: record.topic,
        partition: 0,
        offset: BigInt(this.records.length),
        timestamp: Date.now(),
        key: Buffer.from(record.key!),
        value: record.value,
        headers: {},
      };
      this.records.push(written);
      for (const follow of this.followers) follow(written);
    }
  }

  get changes(): (string | undefined)[] {
    return this.records.map((record) => {
      const change = decodeConfigChange(record);
      if (change?.change !== 'put' || change.resource.kind !== 'ApiKey') return change?.change;
      return change.resource.status.revokedAt === undefined ? 'put' : 'put revoked';
    });
  }

  /** What a service knows that has read so many of the records. */
  readBy(count = this.records.length): Promise<Catalogue> {
    return catalogueOf(this.records.slice(0, count));
  }
}

export async function catalogueOf(
  records: readonly IncomingRecord[],
  follow?: (onRecord: (record: IncomingRecord) => void) => void,
): Promise<Catalogue> {
  const catalogue = new Catalogue({
    source: {
      start: async (onRecord) => {
        for (const record of records) onRecord(record);
        follow?.(onRecord);
      },
      confirmedAt: 1,
      alive: true,
      close: async () => {},
    },
    stalenessMs: 1000,
    ladder: [],
  });
  await catalogue.start();
  return catalogue;
}
