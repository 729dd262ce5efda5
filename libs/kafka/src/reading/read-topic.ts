import type { IncomingRecord } from '@quittance/contracts';
import type { KafkaClient } from '../kafka-client.js';
import { PartitionReader } from './partition-reader.js';

/** Reads everything that stands in a topic now, partition by partition: for tests and tools, not for services. */
export async function readTopic(client: KafkaClient, topic: string): Promise<IncomingRecord[]> {
  const reader = new PartitionReader(client, topic);
  try {
    await reader.connect();
    const records: IncomingRecord[] = [];
    for (const partition of await reader.partitions()) {
      const { beginning, end } = await reader.bounds(partition);
      for (let offset = beginning; offset < end;) {
        const fetched = await reader.fetch(partition, offset, 100);
        records.push(...fetched.records);
        offset = fetched.next;
      }
    }
    return records;
  } finally {
    await reader.close();
  }
}
