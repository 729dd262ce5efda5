import { createRequire } from 'node:module';
import type { PartitionerArgs } from 'kafkajs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { groupByPartition } from './group-by-partition.js';
import {
  decodeRecordBatch,
  isPlainBatch,
  type DecodedRecord,
  type FetchDecoder,
} from './record-batch-decoder.js';
import { produceRequest } from './produce-request.js';
import { sizeBatch, writeBatch, type EncodableBatch, type EncodableRecord } from './record-batch-encoder.js';

const require = createRequire(import.meta.url);
const load = <T>(path: string): T => require(`kafkajs/src/protocol/${path}`) as T;

// The originals, loaded before anybody has replaced them in this process.
const originalRequest = load<typeof produceRequest>('requests/produce/v3/request.js');
const decodeOriginal = load<(decoder: object) => Promise<{ records: object[] }>>('recordBatch/v0/decoder.js');
const Decoder = load<new (buffer: Buffer) => FetchDecoder>('decoder.js');

let seed = 7;
const random = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};
const text = (): string =>
  Array.from({ length: random(40) }, () => 'abc é😀"\\\n\u0000'[random(11)] ?? '').join('');
const bytes = (): Buffer =>
  Buffer.from(Array.from({ length: random(random(40) === 0 ? 70_000 : 100) }, () => random(256)));

function randomRecord(): EncodableRecord {
  const headers: NonNullable<EncodableRecord['headers']> = {};
  for (let n = random(15); n > 0; n--) headers[`h${random(12)}-é`] = random(3) === 0 ? bytes() : text();
  if (random(5) === 0) headers['twice'] = [text(), bytes(), text()];
  return {
    key: [null, text(), bytes()][random(3)] as string | Buffer | null,
    value: random(10) === 0 ? null : bytes(),
    headers,
  };
}

const facts = {
  producerId: 4_294_967_299,
  producerEpoch: 3,
  firstSequence: 77,
  firstTimestamp: 1_795_000_000_000,
};
function randomBatch() {
  const records = Array.from({ length: 1 + random(20) }, randomRecord);
  return { ...facts, maxTimestamp: facts.firstTimestamp + 5, lastOffsetDelta: records.length - 1, records };
}

function encoded(batch: EncodableBatch): Buffer {
  const sized = sizeBatch(batch);
  const buffer = Buffer.alloc(sized.size);
  expect(writeBatch(buffer, 0, sized)).toBe(sized.size);
  return buffer;
}

/** What is said of a record, however it comes to be said. */
function comparable(record: object): object {
  const { magicByte, attributes, timestamp, offset, key, value, headers, isControlRecord } =
    record as DecodedRecord;
  return { magicByte, attributes, timestamp, offset, key, value, headers, isControlRecord };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the messages of a send', () => {
  it('are divided as kafkajs divides them', () => {
    const group = load<typeof groupByPartition>('../producer/groupMessagesPerPartition.js');
    const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({ partitionId })) as never;
    const messages = Array.from({ length: 500 }, (_, n) => ({ key: String(n), value: null }));
    const given = {
      topic: 'events',
      partitionMetadata,
      messages,
      partitioner: ({ message }: PartitionerArgs) => (Number(message.key) * 31) % 7,
    };
    expect(groupByPartition(given)).toEqual(group(given));
    expect(groupByPartition({ ...given, partitionMetadata: [] })).toEqual(
      group({ ...given, partitionMetadata: [] }),
    );
  });
});

describe('the record codec', () => {
  it('writes the very bytes that kafkajs writes', async () => {
    vi.useFakeTimers({ now: facts.firstTimestamp, toFake: ['Date'] });
    for (let n = 0; n < 25; n++) {
      const { producerId, producerEpoch, firstSequence } = facts;
      const topicData = Array.from({ length: 1 + random(3) }, (_, topic) => ({
        topic: `topic-é-${topic}`,
        partitions: Array.from({ length: 1 + random(5) }, (__, partition) => ({
          partition,
          firstSequence: firstSequence + partition,
          messages: Array.from({ length: 1 + random(10) }, randomRecord),
        })),
      }));
      const request = {
        acks: -1,
        timeout: 30_000,
        topicData,
        ...(random(3) > 0 && { producerId, producerEpoch }),
        ...(random(3) === 0 && { transactionalId: 'é' }),
      };
      const original = originalRequest(request);
      const ours = produceRequest(request);
      const expected = await original.encode();
      const part = ours.encode();
      expect(part.buffer.equals(expected.buffer)).toBe(true);
      expect(part.size()).toBe(expected.buffer.length);
      const { encode: _, expectResponse: __, ...about } = ours;
      expect(original).toMatchObject(about);
    }
  });

  it.each([0, 8])('reads what kafkajs reads, with attributes %i', async (attributes) => {
    for (let n = 0; n < 40; n++) {
      const buffer = encoded(randomBatch());
      const two = Buffer.concat([buffer, encoded(randomBatch())]);
      two.writeBigInt64BE(BigInt(random(1_000_000)) * 1_000_000n, 0);
      two.writeInt16BE(attributes, 21);
      const ours = new Decoder(two);
      const original = new Decoder(two);
      for (let batch = 0; batch < 2; batch++) {
        expect(isPlainBatch(ours)).toBe(true);
        const { records } = decodeRecordBatch(ours);
        const expected = await decodeOriginal(original);
        expect(records.map(comparable)).toEqual(expected.records.map(comparable));
        expect(ours.offset).toBe(original.offset);
      }
    }
  });

  it('keeps no more of a fetch than its own batch', async () => {
    const one = encoded(randomBatch());
    const fetched = Buffer.alloc(200_000 + one.length);
    one.copy(fetched, 100_000);
    const ours = new Decoder(fetched);
    ours.offset = 100_000;
    const { records } = decodeRecordBatch(ours);
    expect(ours.offset).toBe(100_000 + one.length);
    const { records: expected } = await decodeOriginal(new Decoder(one));
    expect(records.map(comparable)).toEqual(expected.map(comparable));
    const kept = records.flatMap(({ value }) => (value ? [value.buffer.byteLength] : []));
    expect(Math.max(...kept)).toBeLessThan(fetched.length / 2);
  });

  it('leaves to kafkajs what is compressed or cut off', () => {
    const buffer = encoded(randomBatch());
    expect(isPlainBatch({ buffer: buffer.subarray(0, buffer.length - 1), offset: 0 })).toBe(false);
    buffer.writeInt16BE(1, 21);
    expect(isPlainBatch({ buffer, offset: 0 })).toBe(false);
  });
});
