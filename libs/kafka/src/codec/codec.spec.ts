import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decodeRecordBatch, isPlainBatch, type FetchDecoder } from './record-batch-decoder.js';
import { encodeRecordBatch, type EncodableRecord } from './record-batch-encoder.js';

const require = createRequire(import.meta.url);
const load = <T>(path: string): T => require(`kafkajs/src/protocol/${path}`) as T;

// The originals, loaded before anybody has replaced them in this process.
const Record = load<(record: EncodableRecord) => unknown>('recordBatch/record/v0/index.js');
const { RecordBatch } = load<{ RecordBatch: (batch: object) => Promise<{ buffer: Buffer }> }>(
  'recordBatch/v0/index.js',
);
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

function randomRecord(offsetDelta: number): EncodableRecord {
  const headers: NonNullable<EncodableRecord['headers']> = {};
  for (let n = random(15); n > 0; n--) headers[`h${random(12)}-é`] = random(3) === 0 ? bytes() : text();
  if (random(5) === 0) headers['twice'] = [text(), bytes(), text()];
  return {
    key: [null, text(), bytes()][random(3)] as string | Buffer | null,
    value: random(10) === 0 ? null : bytes(),
    headers,
    offsetDelta,
    timestampDelta: random(3) === 0 ? random(100_000) : 0,
  };
}

const facts = {
  producerId: 4_294_967_299,
  producerEpoch: 3,
  firstSequence: 77,
  firstTimestamp: 1_795_000_000_000,
};
function randomBatch() {
  const records = Array.from({ length: 1 + random(20) }, (_, index) => randomRecord(index));
  return { ...facts, maxTimestamp: facts.firstTimestamp + 5, lastOffsetDelta: records.length - 1, records };
}

describe('the record codec', () => {
  it('writes the very bytes that kafkajs writes', async () => {
    for (let n = 0; n < 100; n++) {
      const batch = randomBatch();
      const original = await RecordBatch({
        ...batch,
        records: batch.records.map((record) => Record(record)),
      });
      const ours = encodeRecordBatch(batch);
      expect(ours.buffer.equals(original.buffer)).toBe(true);
      expect(ours.size()).toBe(original.buffer.length);
    }
  });

  it.each([0, 8])('reads what kafkajs reads, with attributes %i', async (attributes) => {
    for (let n = 0; n < 40; n++) {
      const { buffer } = encodeRecordBatch(randomBatch());
      const two = Buffer.concat([buffer, encodeRecordBatch(randomBatch()).buffer]);
      two.writeBigInt64BE(BigInt(random(1_000_000)) * 1_000_000n, 0);
      two.writeInt16BE(attributes, 21);
      const ours = new Decoder(two);
      const original = new Decoder(two);
      for (let batch = 0; batch < 2; batch++) {
        expect(isPlainBatch(ours)).toBe(true);
        const { records } = decodeRecordBatch(ours);
        const expected = await decodeOriginal(original);
        const comparable = (record: object) => ({ ...record, batchContext: null });
        expect(records.map(comparable)).toEqual(expected.records.map(comparable));
        expect(ours.offset).toBe(original.offset);
      }
    }
  });

  it('leaves to kafkajs what is compressed or cut off', () => {
    const { buffer } = encodeRecordBatch(randomBatch());
    expect(isPlainBatch({ buffer: buffer.subarray(0, buffer.length - 1), offset: 0 })).toBe(false);
    buffer.writeInt16BE(1, 21);
    expect(isPlainBatch({ buffer, offset: 0 })).toBe(false);
  });
});
