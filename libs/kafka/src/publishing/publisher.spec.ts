import type { OutgoingRecord } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import type { KafkaClient } from '../kafka-client.js';
import { KafkaPublisher } from './publisher.js';

/** A cluster of which single sends fail. */
function cluster(fails: (send: number) => Error | undefined, log: string[]): KafkaClient {
  let sends = 0;
  const producer = {
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    sendBatch: async ({
      topicMessages,
    }: {
      topicMessages: { topic: string; messages: { key: string; partition: number; placed: number }[] }[];
    }) => {
      const failure = fails(++sends);
      if (failure) throw failure;
      return topicMessages.flatMap(({ topic, messages }) => {
        const bases = new Map<number, number>();
        for (const message of messages) {
          message.placed = message.partition;
          bases.set(message.partition, 0);
          log.push(message.key);
        }
        return [...bases].map(([partition]) => ({
          topicName: topic,
          partition,
          baseOffset: '0',
          errorCode: 0,
        }));
      });
    },
  };
  return { kafka: { producer: () => producer } } as unknown as KafkaClient;
}
const record = (key: string, partition: number): OutgoingRecord => ({
  topic: 't',
  partition,
  key,
  value: Buffer.alloc(1000),
  headers: {},
});

describe('a call whose first records failed', () => {
  it('leaves no gap: what stands behind them in their partition is not written either', async () => {
    const log: string[] = [];
    const publisher = new KafkaPublisher(
      cluster((send) => (send === 1 ? new Error('gone') : undefined), log),
    );
    const others = publisher
      .publishAll(Array.from({ length: 800 }, (_, n) => record(`other-${n}`, 1)))
      .catch(() => undefined);
    const mine = publisher.publishAll(Array.from({ length: 500 }, (_, n) => record(`mine-${n}`, 2)));
    await expect(mine).rejects.toMatchObject({ code: 'kafka_unavailable' });
    await others;
    expect(log).toEqual([]);
  });
  it('writes the rest when one was too large', async () => {
    const log: string[] = [];
    const publisher = new KafkaPublisher(
      cluster(
        (send) =>
          [1, 2, 3].includes(send)
            ? Object.assign(new Error('large'), { type: 'MESSAGE_TOO_LARGE' })
            : undefined,
        log,
      ),
    );
    const mine = publisher.publishAll(Array.from({ length: 4 }, (_, n) => record(`mine-${n}`, 2)));
    await expect(mine).rejects.toMatchObject({ code: 'record_too_large' });
    expect(log).toEqual(['mine-1', 'mine-2', 'mine-3']);
  });
  it('leaves no gap when half of a batch that was too large fails', async () => {
    const log: string[] = [];
    const large = Object.assign(new Error('large'), { type: 'MESSAGE_TOO_LARGE' });
    const publisher = new KafkaPublisher(
      cluster((send) => (send === 1 ? large : send === 2 ? new Error('gone') : undefined), log),
    );
    const mine = publisher.publishAll(Array.from({ length: 4 }, (_, n) => record(`mine-${n}`, 2)));
    await expect(mine).rejects.toMatchObject({ code: 'kafka_unavailable' });
    expect(log).toEqual([]);
  });
});
