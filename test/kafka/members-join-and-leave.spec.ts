import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { done, readTopic } from '@quittance/kafka';
import { collector, gate, KafkaFixture, textRecord, until, valueOf } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

/** A member that handles everything at once, until it owns a partition. */
async function bystander(groupId: string, topic: string): ReturnType<KafkaFixture['member']> {
  const member = await kafka.member({ groupId, topics: [topic], handler: () => done() });
  await until(() => member.health().partitions > 0, 'the second member owns a partition');
  return member;
}

describe('a partition that was paused when its owner lost it', () => {
  it('is read again when it comes back', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const held = gate();
    const values = new Set<string>();
    const first = await kafka.member({
      groupId,
      topics: [topic],
      group: { windowSpan: 5 },
      handler: async (record) => {
        values.add(valueOf(record));
        if (!valueOf(record).startsWith('late')) await held.opened;
        return done();
      },
    });
    await kafka.fill(topic, 20, 0, 0);
    await kafka.fill(topic, 20, 1, 100);
    await until(() => values.size === 10, 'both partitions are paused with full windows');
    const second = await bystander(groupId, topic);
    await until(() => first.health().partitions === 1, 'one partition moves');
    await second.close();
    await until(() => first.health().partitions === 2, 'it comes back');
    held.open();
    await kafka.publisher.publishAll([textRecord(topic, 'late-0', 0), textRecord(topic, 'late-1', 1)]);
    await until(() => values.has('late-0') && values.has('late-1'), 'both partitions are read to their ends');
  });
});

describe('a result that belongs to an earlier assignment', () => {
  it('is recorded, but nothing follows from it and it is not committed', async () => {
    const topic = await kafka.topic(2);
    const ledger = await kafka.topic(1);
    const onward = await kafka.topic(1);
    const groupId = randomUUID();
    const held = gate();
    const started: string[] = [];
    const outcomeOf = (name: string, who: string) =>
      done({
        ledger: [textRecord(ledger, `${who} ${name}`, 0)],
        onward: [textRecord(onward, `${who} ${name}`, 0)],
      });
    const first = await kafka.member({
      groupId,
      topics: [topic],
      handler: async (record) => {
        started.push(valueOf(record));
        await held.opened;
        return outcomeOf(valueOf(record), 'first');
      },
    });
    await kafka.publisher.publishAll([textRecord(topic, 'a', 0), textRecord(topic, 'b', 1)]);
    await until(() => started.length === 2, 'both records are in flight');
    const taken: string[] = [];
    const second = await kafka.member({
      groupId,
      topics: [topic],
      handler: (record) => {
        taken.push(valueOf(record));
        return outcomeOf(valueOf(record), 'second');
      },
    });
    await until(() => taken.length === 1, 'the new owner takes the record up again');
    const moved = taken[0]!;
    held.open();
    const read = async (name: string): Promise<string[]> =>
      (await readTopic(kafka.client, name)).map(valueOf);
    await until(
      async () => (await read(ledger)).includes(`first ${moved}`),
      'the stale result is in the ledger',
    );
    await until(async () => (await read(onward)).length >= 2, 'the current results are passed on');
    expect(await read(onward)).not.toContain(`first ${moved}`);
    expect(await read(onward)).toContain(`second ${moved}`);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('what was finished above the committed offset', () => {
  it('is not done again by the next owner', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    const never = gate();
    await kafka.fill(topic, 50);
    const finished: string[] = [];
    const first = await kafka.member({
      groupId,
      topics: [topic],
      drainTimeoutMs: 500,
      handler: async (record) => {
        if (['0', '20'].includes(valueOf(record))) await never.opened;
        finished.push(valueOf(record));
        return done();
      },
    });
    await until(() => finished.length === 48, 'all but two');
    await first.close();
    const { values, handler } = collector();
    await kafka.member({ groupId, topics: [topic], handler });
    await kafka.publisher.publish(textRecord(topic, 'last', 0));
    await until(() => values.includes('last'), 'the end');
    expect(values).toEqual(['0', '20', 'last']);
    never.open();
  });
});

describe('a member that leaves in good order', () => {
  it('finishes what is in flight, commits it, and takes nothing new', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    const held = gate();
    let started = 0;
    await kafka.fill(topic, 100);
    const first = await kafka.member({
      groupId,
      topics: [topic],
      group: { windowSpan: 40 },
      handler: async () => {
        started++;
        await held.opened;
        return done();
      },
    });
    await until(() => started === 40, 'a window is in flight');
    const closing = first.close();
    held.open();
    await closing;
    expect(started).toBe(40);
    const { values, handler } = collector();
    await kafka.member({ groupId, topics: [topic], handler });
    await until(() => values.length >= 60, 'the rest');
    expect(values).toEqual(Array.from({ length: 60 }, (_, index) => String(index + 40)));
  });
});

describe('members that come and go', () => {
  it('lose no record and repeat at most what was in flight', async () => {
    const topic = await kafka.topic(4);
    const groupId = randomUUID();
    const seen = new Map<string, number>();
    const handler = async (record: Parameters<typeof valueOf>[0]) => {
      seen.set(valueOf(record), (seen.get(valueOf(record)) ?? 0) + 1);
      await new Promise((resolve) => setImmediate(resolve));
      return done();
    };
    const group = { windowSpan: 50 };
    await kafka.member({ groupId, topics: [topic], handler, group });
    const publishing = (async () => {
      for (let n = 0; n < 40; n++) {
        for (let partition = 0; partition < 4; partition++)
          await kafka.fill(topic, 10, partition, n * 40 + partition * 10);
      }
    })();
    let rebalances = 0;
    for (; rebalances < 4; rebalances += 2) {
      const guest = await kafka.member({ groupId, topics: [topic], handler, group });
      await until(() => guest.health().partitions > 0, 'the guest owns partitions');
      await guest.close();
    }
    await publishing;
    await until(() => seen.size === 1600, 'every record is seen');
    const repeats = [...seen.values()].reduce((sum, times) => sum + times - 1, 0);
    expect(repeats).toBeLessThanOrEqual(rebalances * 4 * group.windowSpan);
  });
});
