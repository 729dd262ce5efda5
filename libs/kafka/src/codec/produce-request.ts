import { sizeBatch, writeBatch, type EncodableRecord, type SizedBatch } from './record-batch-encoder.js';

/** What kafkajs's network layer asks of an encoded part. */
export interface EncodedPart {
  buf: Buffer;
  buffer: Buffer;
  size(): number;
}

/** A produce request as kafkajs describes it. */
export interface ProduceRequest {
  acks: number;
  timeout: number;
  transactionalId?: string | null;
  producerId?: ProducerId;
  producerEpoch?: number;
  compression?: number;
  topicData: readonly {
    topic: string;
    partitions: readonly {
      partition: number;
      firstSequence?: number;
      /** Without times of their own: they get that of the sending, which the topics overwrite anyway. */
      messages: readonly EncodableRecord[];
    }[];
  }[];
}

type ProducerId = bigint | number | string | { toString(): string };

interface SizedTopic {
  name: string;
  partitions: { number: number; batch: SizedBatch }[];
}

const API_KEY = 0;
/** Later versions up to 7 have the same body; kafkajs makes them of this one. */
const API_VERSION = 3;
const INT16 = 2;
const INT32 = 4;
/** Partition and length of the batch. */
const PARTITION_OVERHEAD = 2 * INT32;

/**
 * Takes the place of kafkajs's `requests/produce/v3/request.js`, which copies each batch through a buffer per
 * partition, per topic and per request, every one of them zeroed and doubled until it fits.
 */
export function produceRequest(request: ProduceRequest) {
  return {
    apiKey: API_KEY,
    apiVersion: API_VERSION,
    apiName: 'Produce',
    expectResponse: () => request.acks !== 0,
    encode: () => encodeProduce(request),
  };
}

function encodeProduce(request: ProduceRequest): EncodedPart {
  const { acks, timeout, transactionalId = null, topicData } = request;
  if (request.compression) throw new Error('Compression is not supported.');
  const topics = sizeTopics(request);
  const size =
    stringSize(transactionalId) +
    INT16 +
    INT32 +
    INT32 +
    topics.reduce((sum, topic) => sum + sizeOf(topic), 0);
  const buffer = Buffer.allocUnsafe(size);
  let at = writeString(buffer, 0, transactionalId);
  at = buffer.writeInt16BE(acks, at);
  at = buffer.writeInt32BE(timeout, at);
  at = buffer.writeInt32BE(topicData.length, at);
  for (const { name, partitions } of topics) {
    at = writeString(buffer, at, name);
    at = buffer.writeInt32BE(partitions.length, at);
    for (const { number, batch } of partitions) {
      at = buffer.writeInt32BE(number, at);
      at = buffer.writeInt32BE(batch.size, at);
      at = writeBatch(buffer, at, batch);
    }
  }
  return { buf: buffer, buffer, size: () => size };
}

function sizeTopics({
  topicData,
  transactionalId,
  producerId = -1,
  producerEpoch = 0,
}: ProduceRequest): SizedTopic[] {
  const now = Date.now();
  return topicData.map(({ topic, partitions }) => ({
    name: topic,
    partitions: partitions.map(({ partition, firstSequence = 0, messages }) => ({
      number: partition,
      batch: sizeBatch({
        firstTimestamp: now,
        maxTimestamp: now,
        lastOffsetDelta: messages.length - 1,
        transactional: Boolean(transactionalId),
        producerId,
        producerEpoch,
        firstSequence,
        records: messages,
      }),
    })),
  }));
}

function sizeOf({ name, partitions }: SizedTopic): number {
  return partitions.reduce(
    (sum, { batch }) => sum + PARTITION_OVERHEAD + batch.size,
    stringSize(name) + INT32,
  );
}

function stringSize(text: string | null): number {
  return INT16 + (text === null ? 0 : Buffer.byteLength(text));
}

function writeString(buffer: Buffer, from: number, text: string | null): number {
  if (text === null) return buffer.writeInt16BE(-1, from);
  const at = from + INT16;
  const length = buffer.write(text, at);
  buffer.writeInt16BE(length, from);
  return at + length;
}
