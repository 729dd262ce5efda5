import { Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import { Topics, type OutgoingRecord } from '@quittance/contracts';

/** Where deliveries belong by now: a record that could not be written for a while may name a home that has moved since. */
@Injectable()
export class Homes {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly topics: Topics,
  ) {}

  /** False while the configuration is not confirmed: what it says may be old. */
  areKnown(): boolean {
    return this.catalogue.isFresh();
  }

  /** @returns the record at its subscription's present home; itself when it is no delivery, or the subscription is gone */
  present(record: OutgoingRecord): OutgoingRecord {
    if (record.topic !== this.topics.deliveries) return record;
    const [namespace = '', name = ''] = record.key?.split('/') ?? [];
    const partition = this.catalogue.subscription(namespace, name)?.resource.status.partition;
    return partition === undefined || partition === record.partition ? record : { ...record, partition };
  }
}
