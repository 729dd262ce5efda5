import { randomUUID } from 'node:crypto';
import { PartitionAssigners } from 'kafkajs';
import { afterAll, describe, expect, it } from 'vitest';
import { collector, KafkaFixture, until } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

describe('a consumer whose client gave up', () => {
  it('says that it is dead, because the process would live on without it', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    // A member that speaks another protocol: the broker refuses ours for good.
    const stranger = kafka.client.kafka.consumer({
      groupId,
      partitionAssigners: [
        (config) => {
          const assigner = PartitionAssigners.roundRobin(config);
          return {
            ...assigner,
            name: 'Other',
            protocol: (state) => ({ ...assigner.protocol(state), name: 'Other' }),
          };
        },
      ],
    });
    kafka.onClose(() => stranger.disconnect());
    await stranger.connect();
    await stranger.subscribe({ topics: [topic] });
    const joined = new Promise((resolve) => stranger.on(stranger.events.GROUP_JOIN, resolve));
    await stranger.run({ eachMessage: () => Promise.resolve() });
    await joined;

    const member = await kafka.member({ groupId, topics: [topic], handler: collector().handler });
    await until(() => !member.health().alive, 'the member knows that it is dead');
    expect(member.health()).toMatchObject({ alive: false, joined: false });
  });
});
