import type { ConfigSource } from '@quittance/catalog';
import type { IncomingRecord } from '@quittance/contracts';
import { CompactedTopicReader, type KafkaClient } from '@quittance/kafka';

/** The catalogue's records, read from Kafka. */
export function configSource(
  client: KafkaClient,
  topic: string,
  onError: (error: Error) => void,
): ConfigSource {
  let deliver: ((record: IncomingRecord) => void) | undefined;
  const reader = new CompactedTopicReader(client, {
    topic,
    onRecord: (record) => deliver?.(record),
    onError,
  });
  return {
    start(onRecord) {
      deliver = onRecord;
      return reader.start();
    },
    get confirmedAt() {
      return reader.confirmedAt;
    },
    get alive() {
      return reader.alive;
    },
    close: () => reader.close(),
  };
}
