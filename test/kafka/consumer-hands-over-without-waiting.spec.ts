import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { UnreadableRecordError } from '@quittance/contracts';
import { done, readTopic } from '@quittance/kafka';
import { collector, gate, KafkaFixture, textRecord, until, valueOf } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

describe('a group without an offset', () => {
  it('begins at the beginning, also on partitions that were added and written before it saw them', async () => {
    const topic = await kafka.topic(1);
    await kafka.fill(topic, 3, 0, 0);
    const { values, handler } = collector();
    await kafka.member({ groupId: randomUUID(), topics: [topic], handler });
    await until(() => values.length === 3, 'the first partition is read');
    await kafka.admin.growTopic(topic, 2);
    await kafka.fill(topic, 3, 1, 3);
    await until(() => values.length === 6, 'the new partition is read from its beginning');
    expect([...values].sort()).toEqual(['0', '1', '2', '3', '4', '5']);
  });
});

describe('a record that hangs', () => {
  it('holds up neither the other partitions nor the records behind it, for 32 spans of the window', async () => {
    const topic = await kafka.topic(2);
    await kafka.fill(topic, 400, 0, 0);
    const head = gate();
    const values: string[] = [];
    const member = await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      group: { windowSpan: 10 },
      handler: async (record) => {
        values.push(valueOf(record));
        if (valueOf(record) === '0') await head.opened;
        return done();
      },
    });
    await until(() => values.length === 320, 'what stands up to 32 spans behind the head');
    expect(member.health().inFlight).toBe(1);
    await kafka.fill(topic, 5, 1, 400);
    await until(() => values.length === 325, 'what is written meanwhile to the other partition');
    expect(values.filter((value) => Number(value) < 400)).toHaveLength(320);
    head.open();
    await until(() => values.length === 405, 'the rest follows once the head is done');
    expect(values.filter((value) => Number(value) < 400)).toEqual(
      Array.from({ length: 400 }, (_, i) => String(i)),
    );
  });

  it('lets no more records hang beside it than the window spans', async () => {
    const topic = await kafka.topic(2);
    await kafka.fill(topic, 30, 0, 0);
    const held = gate();
    const values: string[] = [];
    const member = await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      group: { windowSpan: 10 },
      handler: async (record) => {
        values.push(valueOf(record));
        if (record.partition === 0 && Number(valueOf(record)) % 2 === 0) await held.opened;
        return done();
      },
    });
    // Every second one hangs: what is finished between them widens the window by as much.
    await until(() => member.health().inFlight === 10, 'ten that hang');
    await kafka.fill(topic, 5, 1, 100);
    await until(() => values.length === 24, 'what is written meanwhile to the other partition');
    expect(member.health().inFlight).toBe(10);
    held.open();
    await until(() => values.length === 35, 'the rest follows');
  });

  it('has no more in hand than are worth it at the moment', async () => {
    const topic = await kafka.topic(2);
    await kafka.fill(topic, 20, 0, 0);
    await kafka.fill(topic, 20, 1, 20);
    const held = gate();
    let most = 5;
    let handled = 0;
    const member = await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      group: { mostHandled: ({ partition }) => (partition === 0 ? most : Infinity) },
      handler: async () => {
        await held.opened;
        handled++;
        return done();
      },
    });
    await until(() => member.health().inFlight === 25, 'five of the one, all of the other');
    most = 100;
    held.open();
    await until(() => handled === 40, 'the rest follows');
  });

  it('does not hold up the next fetch when every byte of the budget is in flight', async () => {
    const topic = await kafka.topic(1);
    const other = await kafka.topic(1);
    await kafka.publisher.publishAll(
      Array.from({ length: 4 }, () => ({ ...textRecord(topic, 'big', 0), value: Buffer.alloc(200_000) })),
    );
    const held = gate();
    let handled = 0;
    const strategy = await kafka.member({
      groupId: randomUUID(),
      topics: [topic, other],
      byteBudget: 620_000,
      handler: async (record) => {
        handled++;
        if (record.topic === topic) await held.opened;
        return done();
      },
    });
    await until(() => strategy.health().inFlight === 2, 'as many as the budget has room for');
    held.open();
    await until(() => handled === 4, 'the others once there is room');
  });
});

describe('a partition that was paused because its window was full', () => {
  it('is fetched again soon, although a fetch of the other partitions is waiting for records', async () => {
    const topic = await kafka.topic(2);
    const held = gate();
    const values: string[] = [];
    const member = await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      group: { windowSpan: 5 },
      handler: async (record) => {
        values.push(valueOf(record));
        await held.opened;
        return done();
      },
    });
    await kafka.fill(topic, 10, 0, 0);
    await until(() => member.health().inFlight === 5, 'a full window, and the rest of the fetch behind it');
    await kafka.fill(topic, 5, 0, 10);
    held.open();
    // A resumed partition waits out the running long poll: 5 s by the client's default, 100 ms by ours.
    await until(() => values.length === 15, 'what was written during the pause', 3000);
  });
});

describe('a record that fails', () => {
  it('is tried again in place, and the ones behind it go on', async () => {
    const topic = await kafka.topic(1);
    await kafka.fill(topic, 5);
    const tries = new Map<string, number>();
    await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      handler: (record) => {
        const value = valueOf(record);
        tries.set(value, (tries.get(value) ?? 0) + 1);
        if (value === '1' && tries.get(value)! < 3) throw new Error('not yet');
        return done();
      },
    });
    await until(() => tries.get('1') === 3 && tries.size === 5, 'the third try');
    expect(tries.get('4')).toBe(1);
  });

  it('becomes a dead letter when it cannot be read, with its bytes, its reason and where it was', async () => {
    const topic = await kafka.topic(1);
    const deadLetterTopic = await kafka.topic(1);
    await kafka.fill(topic, 3);
    const { values, handler } = collector();
    await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      deadLetterTopic,
      handler: (record) => {
        if (valueOf(record) === '1') throw new UnreadableRecordError('no sense in it');
        return handler(record);
      },
    });
    await until(() => values.length === 2, 'the readable ones');
    await until(async () => (await readTopic(kafka.client, deadLetterTopic)).length === 1, 'the dead letter');
    const [letter] = await readTopic(kafka.client, deadLetterTopic);
    expect(valueOf(letter!)).toBe('1');
    const text = Object.fromEntries(
      Object.entries(letter!.headers).map(([name, value]) => [name, String(value)]),
    );
    expect(text).toMatchObject({
      'quittance-dead-code': 'unreadable_record',
      'quittance-dead-reason': 'no sense in it',
      'quittance-dead-topic': topic,
      'quittance-dead-partition': '0',
      'quittance-dead-offset': '1',
    });
  });
});

describe('a topic whose records wait', () => {
  it('hands each record over when it is due, not before, and other partitions do not wait for it', async () => {
    const topic = await kafka.topic(2, { 'message.timestamp.type': 'LogAppendTime' });
    await kafka.fill(topic, 2, 0, 0);
    await kafka.fill(topic, 2, 1, 10);
    const early: string[] = [];
    const values: string[] = [];
    const delayMs = (partition: number): number => (partition === 0 ? 1500 : 0);
    await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      availableAt: (record) => record.timestamp + delayMs(record.partition),
      handler: (record) => {
        if (Date.now() < record.timestamp + delayMs(record.partition)) early.push(valueOf(record));
        values.push(valueOf(record));
        return done();
      },
    });
    await until(() => values.length === 4, 'all are handed over in the end');
    expect(early).toEqual([]);
    expect(values.slice(0, 2).sort()).toEqual(['10', '11']);
  });
});

/** What retention does, at once. */
async function deleteBefore(topic: string, offset: number): Promise<void> {
  const admin = kafka.client.kafka.admin();
  await admin.connect();
  // The client deletes only from topics whose leaders it has looked up.
  await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  await admin.disconnect();
}

describe('records deleted before they were read', () => {
  it('are skipped by a running member, which says from where to where', async () => {
    const topic = await kafka.topic(1);
    const held = gate();
    const values: string[] = [];
    await kafka.fill(topic, 20);
    const member = await kafka.member({
      groupId: randomUUID(),
      topics: [topic],
      group: { windowSpan: 5 },
      handler: async (record) => {
        await held.opened;
        values.push(valueOf(record));
        return done();
      },
    });
    await until(() => member.health().inFlight === 5, 'a full window, and the rest of the fetch behind it');
    await kafka.fill(topic, 20, 0, 20);
    await deleteBefore(topic, 30);
    held.open();
    await until(() => values.includes('39'), 'the end');
    const gaps = kafka.logs.filter(
      (line) => line.message.startsWith('Records were deleted') && line.extra['topic'] === topic,
    );
    expect(gaps.map((line) => [line.extra['from'], line.extra['to']])).toEqual([['20', '30']]);
    expect(values).toHaveLength(30);
  });

  it('are skipped with one line in the log, and reading goes on', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    await kafka.fill(topic, 5);
    const first = collector();
    const member = await kafka.member({ groupId, topics: [topic], handler: first.handler });
    await until(() => first.values.length === 5, 'the first five');
    await member.close();
    await kafka.fill(topic, 20, 0, 5);
    await deleteBefore(topic, 15);
    const second = collector();
    await kafka.member({ groupId, topics: [topic], handler: second.handler });
    await until(() => second.values.length === 10, 'what is left');
    expect(second.values[0]).toBe('15');
    const lines = kafka.logs.filter(({ extra }) => extra['topic'] === topic);
    expect(lines).toEqual([
      {
        level: 'error',
        message: 'Records were deleted before they were read: raise the retention.',
        extra: { topic, partition: 0, from: '5', to: '15' },
      },
    ]);
  });
});
