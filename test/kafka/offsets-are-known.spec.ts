import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { done, TopicShrinkError, UnknownTopicError } from '@quittance/kafka';
import { collector, gate, KafkaFixture, textRecord, until, valueOf } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

describe('the committed offset of a partition', () => {
  it('is known to its owner only, from where reading began', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    await kafka.fill(topic, 5, 0);
    const { handler, values } = collector();
    const first = await kafka.member({ groupId, topics: [topic], handler });
    await until(() => first.committedOffset(groupId, topic, 0) === 5n, 'the first five are committed');
    await until(
      () => first.committedOffset(groupId, topic, 1) === 0n,
      'the empty one begins at its beginning',
    );
    expect(values).toHaveLength(5);
    expect(first.committedOffset('another', topic, 0)).toBeUndefined();
    expect(first.committedOffset(groupId, topic, 2)).toBeUndefined();

    const second = await kafka.member({ groupId, topics: [topic], handler });
    const known = (): (bigint | undefined)[][] =>
      [first, second].map((member) => [0, 1].map((p) => member.committedOffset(groupId, topic, p)));
    await until(
      () =>
        known()
          .flat()
          .filter((offset) => offset !== undefined).length === 2 && second.health().partitions === 1,
      'each knows its own',
    );
    expect(known()[0]!.map((mine, p) => mine ?? known()[1]![p])).toEqual([5n, 0n]);
  });

  it('is where the log begins, for a partition whose records were deleted before they were read', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    const first = await kafka.member({ groupId, topics: [topic], handler: () => done() });
    await kafka.fill(topic, 3);
    await until(() => first.committedOffset(groupId, topic, 0) === 3n, 'the first three are committed');
    await first.close();
    await kafka.fill(topic, 4);
    const admin = kafka.client.kafka.admin();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] });
    await admin.disconnect();
    const second = await kafka.member({ groupId, topics: [topic], handler: () => done() });
    await until(() => second.committedOffset(groupId, topic, 0) === 7n, 'nothing is left to do');
  });
});

describe('KafkaAdmin', () => {
  it('tells how far a group is, and how far it could be', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const held = gate();
    await kafka.fill(topic, 8, 0);
    expect(await kafka.admin.lag(groupId, topic, 0)).toEqual({
      partition: 0,
      committed: undefined,
      beginning: 0n,
      end: 8n,
    });
    await kafka.member({
      groupId,
      topics: [topic],
      handler: async (record) => {
        if (valueOf(record) === '3') await held.opened;
        return done();
      },
    });
    await until(async () => (await kafka.admin.lag(groupId, topic, 0)).committed === 3n, 'three are done');
    const lags = await kafka.admin.topicLag(topic, groupId);
    expect([...lags.keys()]).toEqual([0, 1]);
    expect(lags.get(1)).toEqual({ partition: 1, committed: undefined, beginning: 0n, end: 0n });
    held.open();
    await until(async () => (await kafka.admin.lag(groupId, topic, 0)).committed === 8n, 'all are done');
    expect(await kafka.admin.endOffset(topic, 0)).toBe(8n);
  });

  it('adds partitions that can be written at once, and says why it cannot', async () => {
    const topic = await kafka.topic(2);
    const missing = `t-${randomUUID()}`;
    expect(await kafka.admin.endOffset(topic, 1)).toBe(0n);
    await kafka.admin.growTopic(topic, 4);
    await kafka.publisher.publish(textRecord(topic, 'new', 3));
    expect(await kafka.admin.endOffset(topic, 3)).toBe(1n);
    expect(await kafka.admin.describeTopics([missing, topic])).toEqual([{ name: topic, partitions: 4 }]);
    await kafka.admin.growTopic(topic, 4);
    await expect(kafka.admin.growTopic(topic, 3)).rejects.toSatisfy(
      (error) =>
        error instanceof TopicShrinkError && error.code === 'topic_cannot_shrink' && error.partitions === 4,
    );
    for (const call of [
      () => kafka.admin.growTopic(missing, 3),
      () => kafka.admin.lag('group', missing, 0),
      () => kafka.admin.topicLag(missing),
      () => kafka.admin.endOffset(topic, 4),
    ]) {
      await expect(call()).rejects.toSatisfy(
        (error) => error instanceof UnknownTopicError && error.code === 'unknown_topic',
      );
    }
  });
});
