import { randomUUID } from 'node:crypto';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { CompactedTopicReader, KafkaClient, KafkaPublisher, readTopic } from '@quittance/kafka';
import { KafkaFixture, textRecord, until, valueOf } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

describe('publishing to a topic that grows', () => {
  it('reaches partitions that the producer did not know yet, instead of dropping their records', async () => {
    const topic = await kafka.topic(1);
    const publisher = new KafkaPublisher(kafka.client);
    kafka.onClose(() => publisher.close());
    await publisher.publish(textRecord(topic, 'before', 0));
    await kafka.admin.growTopic(topic, 4);
    const published = await publisher.publishAll(
      [0, 1, 2, 3].map((partition) => textRecord(topic, `after-${partition}`, partition)),
    );
    expect(published.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
    const values = (await readTopic(kafka.client, topic)).map(valueOf).sort();
    expect(values).toEqual(['after-0', 'after-1', 'after-2', 'after-3', 'before']);
  });

  it('fails loudly for a partition that does not exist', async () => {
    const topic = await kafka.topic(2);
    const publishing = kafka.publisher.publish(textRecord(topic, 'nowhere', 7));
    await expect(publishing).rejects.toMatchObject({ code: 'unknown_partition' });
  });
});

describe('a record that is too large', () => {
  it('fails alone, and the others of its batch are written', async () => {
    const topic = await kafka.topic(1, { 'max.message.bytes': '200000' });
    const records = [1, 2, 3, 4, 5].map((n) => textRecord(topic, String(n), 0));
    records[2]!.value = Buffer.alloc(300_000);
    const results = await Promise.allSettled(records.map((record) => kafka.publisher.publish(record)));
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect((results[2] as PromiseRejectedResult).reason).toMatchObject({
      code: 'record_too_large',
      retryable: false,
    });
    const values = (await readTopic(kafka.client, topic)).map(valueOf);
    expect([...new Set(values)].sort()).toEqual(['1', '2', '4', '5']);
  });

  it('cuts a burst that would exceed the limit of one batch', async () => {
    const topic = await kafka.topic(1, { 'max.message.bytes': String(3 * 1024 * 1024) });
    const before = kafka.logs.filter((line) => line.message.includes('larger than')).length;
    const records = Array.from({ length: 12 }, () => ({
      ...textRecord(topic, 'x', 0),
      value: Buffer.alloc(1024 * 1024),
    }));
    const published = await kafka.publisher.publishAll(records);
    expect(published.map(({ offset }) => Number(offset))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    const refused = kafka.logs.filter((line) => line.message.includes('larger than'));
    expect(refused.length).toBe(before);
  });
});

/** A proxy before the broker that can keep the broker's answers to itself, and then hang up. */
async function deafProxy() {
  const [host, port] = inject('kafkaBrokers').split(':');
  let deaf = false;
  const server = createServer((client) => {
    const broker = connect(Number(port), host);
    client.pipe(broker);
    broker.on('data', (data) => {
      if (deaf) client.destroy();
      else client.write(data);
    });
    client.on('close', () => broker.destroy());
    broker.on('close', () => client.destroy());
    client.on('error', () => broker.destroy());
    broker.on('error', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    setDeaf: (value: boolean) => {
      deaf = value;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe('a send whose acknowledgement was lost', () => {
  it('does not make the broker take the next record for its repetition', async () => {
    const proxy = await deafProxy();
    const topic = await kafka.topic(1);
    const client = new KafkaClient({
      brokers: [inject('kafkaBrokers')],
      clientId: 'behind-a-proxy',
      socketFactory: ({ onConnect }) => connect(proxy.port, '127.0.0.1', onConnect).setNoDelay(),
    });
    const publisher = new KafkaPublisher(client);
    await publisher.publish(textRecord(topic, 'a', 0));
    proxy.setDeaf(true);
    await expect(publisher.publish(textRecord(topic, 'b', 0))).rejects.toMatchObject({
      code: 'kafka_unavailable',
    });
    proxy.setDeaf(false);
    await publisher.publish(textRecord(topic, 'c', 0));
    await publisher.close();
    await proxy.close();
    expect((await readTopic(kafka.client, topic)).map(valueOf)).toEqual(['a', 'b', 'c']);
  });
});

describe('order and acknowledgement', () => {
  it('keeps the order of a partition over many batches and answers with each record’s offset', async () => {
    const topic = await kafka.topic(2);
    const publishing: Promise<{ partition: number; offset: bigint }>[] = [];
    for (let n = 0; n < 2000; n++) {
      publishing.push(kafka.publisher.publish(textRecord(topic, String(n), n % 2)));
      if (n % 100 === 0) await publishing.at(-1);
    }
    const published = await Promise.all(publishing);
    const records = await readTopic(kafka.client, topic);
    for (const partition of [0, 1]) {
      const values = records
        .filter((record) => record.partition === partition)
        .map((record) => Number(valueOf(record)));
      expect(values).toEqual(Array.from({ length: 1000 }, (_, index) => index * 2 + partition));
    }
    expect(published[1998]).toEqual({ partition: 0, offset: 999n });
  });

  it('rejects within its deadline when Kafka is not there', async () => {
    const client = new KafkaClient({ brokers: ['127.0.0.1:1'], clientId: 'nobody' });
    const publisher = new KafkaPublisher(client, { deadlineMs: 500 });
    kafka.onClose(() => publisher.close());
    await expect(publisher.publish(textRecord('x', 'y'))).rejects.toMatchObject({
      code: 'kafka_unavailable',
      retryable: true,
    });
  });
});

describe('reading a compacted topic', () => {
  it('has everything that stood there when it starts, follows, and knows how fresh it is when nothing happens', async () => {
    const topic = await kafka.topic(1, { 'cleanup.policy': 'compact' });
    await kafka.fill(topic, 3);
    const values: string[] = [];
    const reader = new CompactedTopicReader(kafka.client, {
      topic,
      onRecord: (record) => values.push(valueOf(record)),
    });
    kafka.onClose(() => reader.close());
    await reader.start();
    expect(values).toEqual(['0', '1', '2']);
    expect(reader.position).toBe(2n);
    const before = reader.confirmedAt;
    await until(() => reader.confirmedAt > before, 'an empty fetch confirms');
    const name = randomUUID();
    const { offset } = await kafka.publisher.publish(textRecord(topic, name, 0));
    await until(() => reader.position === offset, 'the new record is applied');
    expect(values.at(-1)).toBe(name);
  });
});

describe('a connection on which nothing happens', () => {
  it('sets no timer that fires at once for ever', async () => {
    // Node says so once per process, when a delay is negative: the mark of the client's endless timer.
    const warnings: string[] = [];
    const listen = (warning: Error): number => warnings.push(warning.name);
    process.on('warning', listen);
    const publisher = new KafkaPublisher(kafka.client);
    await publisher.connect();
    await publisher.publish(textRecord(await kafka.topic(1), 'one', 0));
    await publisher.close();
    process.off('warning', listen);
    expect(warnings).not.toContain('TimeoutNegativeWarning');
  });
});
