import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { IncomingRecord } from '@quittance/contracts';
import { done, NotStartedError, readTopic, type HandlerOutcome, type RecordContext } from '@quittance/kafka';
import { gate, KafkaFixture, textRecord, throwOut, until, valueOf } from './fixture.js';

const kafka = new KafkaFixture();
afterAll(() => kafka.close());

const repeated = (seen: ReadonlyMap<string, number>): string[] =>
  [...seen].filter(([, times]) => times > 1).map(([value]) => value);

describe('members that join and leave in good order while records take a while', () => {
  it('handle each record exactly once', async () => {
    const partitions = 8;
    const topic = await kafka.topic(partitions);
    const onward = await kafka.topic(1);
    const groupId = randomUUID();
    const seen = new Map<string, number>();
    const handler = async (record: IncomingRecord): Promise<HandlerOutcome> => {
      const value = valueOf(record);
      seen.set(value, (seen.get(value) ?? 0) + 1);
      // 50 to 300 ms, like requests to subscribers.
      await new Promise((resolve) => setTimeout(resolve, 50 + ((Number(value) * 37) % 250)));
      return done({ onward: [textRecord(onward, value, 0)] });
    };
    const member = (): ReturnType<KafkaFixture['member']> =>
      kafka.member({ groupId, topics: [topic], handler });

    let written = 0;
    let isOver = false;
    await member();
    const writing = (async () => {
      while (!isOver) {
        await kafka.publisher.publishAll(
          Array.from({ length: 16 }, () => {
            const index = written++;
            return textRecord(topic, String(index), index % partitions);
          }),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    for (let round = 0; round < 8; round++) {
      const guests = await Promise.all(Array.from({ length: 1 + (round % 2) }, member));
      for (const guest of guests)
        await until(() => guest.health().partitions > 0, 'the guest owns partitions');
      const before = seen.size;
      await until(() => seen.size > before + 100, 'records are handled by all of them');
      await Promise.all(guests.map((guest) => guest.close()));
    }
    isOver = true;
    await writing;
    await until(() => seen.size === written, 'every record is handled');
    await until(
      async () => (await readTopic(kafka.client, onward)).length >= written,
      'what follows from every record is written',
    );
    expect(repeated(seen)).toEqual([]);
    expect(await readTopic(kafka.client, onward)).toHaveLength(written);
  });

  it('stay in the group while they wait for what is in flight, longer than a session lasts', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const seen = new Map<string, number>();
    const handler = async (record: IncomingRecord): Promise<HandlerOutcome> => {
      seen.set(valueOf(record), (seen.get(valueOf(record)) ?? 0) + 1);
      if (valueOf(record).startsWith('long')) await new Promise((resolve) => setTimeout(resolve, 9000));
      return done();
    };
    const group = { rebalanceDrainMs: 20_000, sessionTimeoutMs: 6000 };
    const first = await kafka.member({ groupId, topics: [topic], handler, group });
    await kafka.publisher.publishAll([textRecord(topic, 'long-0', 0), textRecord(topic, 'long-1', 1)]);
    await until(() => seen.size === 2, 'both are in flight');
    const second = await kafka.member({ groupId, topics: [topic], handler, group });
    await until(
      () => first.health().partitions === 1 && second.health().partitions === 1,
      'the partitions are divided',
    );
    await kafka.publisher.publishAll([textRecord(topic, 'end-0', 0), textRecord(topic, 'end-1', 1)]);
    await until(() => seen.has('end-0') && seen.has('end-1'), 'both partitions are read on');
    expect(repeated(seen)).toEqual([]);
    expect(seen.size).toBe(4);
  });
});

describe('a partition that stays with its member', () => {
  it('goes on as if nothing had happened, also with what takes longer than a moved one may', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const held = gate();
    const contexts: RecordContext[] = [];
    const moved: string[] = [];
    const group = { rebalanceDrainMs: 100, windowSpan: 5 };
    const first = await kafka.member({
      groupId,
      topics: [topic],
      group,
      handler: async (record, context) => {
        const index = Number(valueOf(record)) % 20;
        if (index === 0) contexts.push(context);
        if (index === 0 || index >= 5) await held.opened;
        return done();
      },
    });
    await kafka.fill(topic, 20, 0, 0);
    await kafka.fill(topic, 20, 1, 20);
    // Of each the head hangs, four are done, and four more that hang fill the window.
    await until(() => first.health().inFlight === 10, 'the windows of both are full');
    const second = await kafka.member({
      groupId,
      topics: [topic],
      group,
      handler: (record) => {
        moved.push(valueOf(record));
        return done();
      },
    });
    await until(() => moved.length >= 16, 'the new member has done what was left of its partition');
    const [stayed, left] = [...contexts].sort((a, b) => Number(b.isCurrent()) - Number(a.isCurrent()));
    expect([stayed!.isCurrent(), stayed!.over.aborted]).toEqual([true, false]);
    expect([left!.isCurrent(), left!.over.aborted]).toEqual([false, true]);
    // All of the one that moved but the four that were done.
    expect(moved.map(Number).sort((a, b) => a - b)).toEqual(
      [0, ...Array.from({ length: 15 }, (_, n) => n + 5)].map((n) => n + left!.partition * 20),
    );
    held.open();
    await until(
      () => first.committedOffset(groupId, topic, stayed!.partition) === 20n,
      'the one that stayed is done to its end',
    );
    await Promise.all([first.close(), second.close()]);
  });
});

/** A handler whose records wait for their turn until the assignment is over. */
function queue(began: Set<string>, isOpen: () => boolean) {
  return async (record: IncomingRecord, context: RecordContext): Promise<HandlerOutcome> => {
    while (!isOpen()) {
      if (context.over.aborted) throw new NotStartedError('It had to wait.');
      await Promise.race([
        new Promise((resolve) => setTimeout(resolve, 5)),
        new Promise((resolve) => context.over.addEventListener('abort', resolve, { once: true })),
      ]);
    }
    began.add(valueOf(record));
    return done();
  };
}

describe('what has not begun when the group rebalances', () => {
  it('is given back without a word, and its next owner takes it up', async () => {
    const topic = await kafka.topic(2);
    const groupId = randomUUID();
    const began = new Set<string>();
    // Were it waited for, the other member would not have its partition in time.
    const group = { rebalanceDrainMs: 60_000 };
    let isOpen = false;
    const handler = queue(began, () => isOpen);
    const first = await kafka.member({ groupId, topics: [topic], handler, group });
    await kafka.fill(topic, 20, 0, 0);
    await kafka.fill(topic, 20, 1, 20);
    await until(() => first.health().inFlight === 40, 'all wait for their turn');
    const second = await kafka.member({ groupId, topics: [topic], handler, group });
    await until(() => second.health().inFlight === 20, 'half of them wait at the new member');
    isOpen = true;
    await until(() => began.size === 40, 'all have had their turn');
    expect(
      kafka.logs.filter(({ extra }) => extra['topic'] === topic && extra['code'] === 'not_started'),
    ).toEqual([]);
  });
});

describe('a member that was thrown out of its group', () => {
  it('waits for nothing, since its partitions are others’ already, and nothing follows from late results', async () => {
    const topic = await kafka.topic(1);
    const onward = await kafka.topic(1);
    const groupId = randomUUID();
    const held = gate();
    const contexts: RecordContext[] = [];
    const member = await kafka.member({
      groupId,
      topics: [topic],
      group: { rebalanceDrainMs: 60_000 },
      handler: async (_record, context) => {
        contexts.push(context);
        const turn = contexts.length;
        await held.opened;
        return done({ onward: [textRecord(onward, String(turn), 0)] });
      },
    });
    await kafka.fill(topic, 1);
    await until(() => contexts.length === 1, 'the record is in flight');
    await throwOut(kafka.client, groupId);
    await until(() => contexts.length === 2, 'it is handed over again to the member as it came back');
    expect(contexts.map((context) => [context.isCurrent(), context.over.aborted])).toEqual([
      [false, true],
      [true, false],
    ]);
    held.open();
    await until(() => member.committedOffset(groupId, topic, 0) === 1n, 'it is committed');
    expect((await readTopic(kafka.client, onward)).map(valueOf)).toEqual(['2']);
  });
});

describe('a member that stops', () => {
  it('tells handlers that what has not begun should not begin', async () => {
    const topic = await kafka.topic(1);
    const groupId = randomUUID();
    const began = new Set<string>();
    const member = await kafka.member({ groupId, topics: [topic], handler: queue(began, () => false) });
    await kafka.fill(topic, 5);
    await until(() => member.health().inFlight === 5, 'all wait for their turn');
    await member.close();
    expect(member.health().inFlight).toBe(0);
    expect(member.committedOffset(groupId, topic, 0)).toBeUndefined();
  });
});
