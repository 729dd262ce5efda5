import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { done } from '@quittance/kafka';
import { collector, KafkaFixture, textRecord, throwOut, until, valueOf } from './fixture.js';

interface GroupRequest {
  groupId: string;
  memberId: string;
}

type Call = (request: GroupRequest) => Promise<unknown>;
type Fault = (request: GroupRequest, send: () => Promise<unknown>) => Promise<unknown>;

const require = createRequire(import.meta.url);
const { prototype } = require('kafkajs/src/broker/index.js') as {
  prototype: Record<'joinGroup' | 'syncGroup' | 'offsetCommit', Call>;
};
const { KafkaJSConnectionClosedError, KafkaJSProtocolError } = require('kafkajs/src/errors.js') as Record<
  string,
  new (cause: string | object) => Error
>;

/** What becomes of a request; it is sent where there is none. Each broker keeps the method that it is found with. */
const faults: Partial<Record<keyof typeof prototype, Fault>> = {};
for (const name of ['joinGroup', 'syncGroup', 'offsetCommit'] as const) {
  const original = prototype[name];
  prototype[name] = function (this: unknown, request) {
    const send = (): Promise<unknown> => original.call(this as never, request);
    return faults[name] ? faults[name](request, send) : send();
  };
}

const lost = (): Error => new KafkaJSConnectionClosedError!('Closed connection');

const kafka = new KafkaFixture();
/** Members of a group that share a client share what it knows of the group's offsets, too. */
const elsewhere = new KafkaFixture();
afterEach(() => {
  for (const name of Object.keys(faults) as (keyof typeof faults)[]) delete faults[name];
});
afterAll(() => Promise.all([kafka.close(), elsewhere.close()]));

describe('a member whose connection breaks while it joins', () => {
  it('joins again to say what it has given back', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const { values, handler } = collector();
    const first = await kafka.member({ groupId, topics: [topic], handler });
    await until(() => first.health().partitions === 2, 'the first member owns both partitions');
    let joins = 0;
    faults.joinGroup = async (request, send) => {
      // The second of the first member, after the newcomer has made it join once more.
      if (request.groupId === groupId && request.memberId !== '' && ++joins === 2) throw lost();
      return send();
    };
    const second = await elsewhere.member({ groupId, topics: [topic], handler });
    await until(() => joins >= 2, 'the connection has broken');
    await until(() => second.health().partitions === 1, 'the newcomer gets its partition');
    await kafka.publisher.publishAll([textRecord(topic, 'a', 0), textRecord(topic, 'b', 1)]);
    await until(() => values.length === 2, 'both partitions are read');
    await Promise.all([first.close(), second.close()]);
  });

  it('joins again when it does not hear of its assignment, and can commit', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const group = { windowSpan: 5 };
    const { values, handler } = collector();
    const first = await kafka.member({ groupId, topics: [topic], handler, group });
    await until(() => first.health().partitions === 2, 'the first member owns both partitions');
    let isLost = false;
    const members = new Set<string>();
    faults.joinGroup = (request, send) => {
      if (request.groupId === groupId && request.memberId !== '') members.add(request.memberId);
      return send();
    };
    faults.syncGroup = async (request, send) => {
      const answer = await send();
      if (isLost || !members.has(request.memberId)) return answer;
      isLost = true;
      throw lost();
    };
    const second = await elsewhere.member({ groupId, topics: [topic], handler, group });
    await until(() => isLost, 'the answer is lost');
    await kafka.fill(topic, 20, 0, 0);
    await kafka.fill(topic, 20, 1, 20);
    await until(() => new Set(values).size === 40, 'both partitions are read to their ends');
    await until(
      async () =>
        [...(await kafka.admin.topicLag(topic, groupId)).values()].every((lag) => lag.committed === 20n),
      'all of it is committed',
    );
    await Promise.all([first.close(), second.close()]);
  });

  it('joins again also when its group has forgotten it before', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    const { values, handler } = collector();
    const member = await kafka.member({ groupId, topics: [topic], handler });
    await kafka.fill(topic, 1);
    await until(() => values.length === 1, 'the member reads');
    let failures = 0;
    faults.joinGroup = async (request, send) => {
      if (request.groupId === groupId && failures++ === 0) throw lost();
      return send();
    };
    await throwOut(kafka.client, groupId);
    await until(() => failures > 0, 'the connection has broken');
    await kafka.fill(topic, 1, 0, 1);
    await until(() => values.includes('1'), 'it reads on');
    await member.close();
  });
});

describe('members that stop while their group rebalances', () => {
  it('commit what they have finished as soon as they can', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    let isClosing = false;
    let refusals = 0;
    const first = await kafka.member({
      groupId,
      topics: [topic],
      handler: async (_record, context) => {
        await new Promise((resolve) => context.over.addEventListener('abort', resolve, { once: true }));
        return done();
      },
    });
    await kafka.fill(topic, 5);
    await until(() => first.health().inFlight === 5, 'all are in flight');
    faults.offsetCommit = async (request, send) => {
      if (!isClosing || request.groupId !== groupId || refusals === 3) return send();
      refusals++;
      throw new KafkaJSProtocolError!({ type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false });
    };
    isClosing = true;
    await first.close();
    expect(refusals).toBe(3);
    const { values, handler } = collector();
    await kafka.member({ groupId, topics: [topic], handler });
    await kafka.publisher.publish(textRecord(topic, 'last', 0));
    await until(() => values.includes('last'), 'the end');
    expect(values).toEqual(['last']);
  });
});

describe('members that read different topics', () => {
  it('get what they read each, whoever leads the group', async () => {
    const [both, former, latter] = await Promise.all([kafka.topic(2), kafka.topic(2), kafka.topic(2)]);
    const groupId = randomUUID();
    const read: Record<'first' | 'second', Set<string>> = { first: new Set(), second: new Set() };
    const member = (name: keyof typeof read, topics: string[]): ReturnType<KafkaFixture['member']> =>
      kafka.member({
        groupId,
        topics,
        handler: (record) => {
          read[name].add(valueOf(record));
          return done();
        },
      });
    const first = await member('first', [both, former]);
    await until(() => first.health().partitions === 4, 'the first member leads');
    const second = await member('second', [both, latter]);
    await until(
      () => first.health().partitions === 3 && second.health().partitions === 3,
      'the partitions are divided',
    );
    for (const [name, topic] of Object.entries({ both, former, latter }))
      for (const partition of [0, 1])
        await kafka.publisher.publish(textRecord(topic, `${name} ${partition}`, partition));
    await until(() => read.first.size + read.second.size === 6, 'all are read');
    const kindsOf = (values: Set<string>): string[] =>
      Array.from(values, (value) => value.split(' ')[0]!).sort();
    expect(kindsOf(read.first)).toEqual(['both', 'former', 'former']);
    expect(kindsOf(read.second)).toEqual(['both', 'latter', 'latter']);
    await Promise.all([first.close(), second.close()]);
  });
});
