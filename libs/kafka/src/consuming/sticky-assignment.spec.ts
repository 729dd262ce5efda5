import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignSticky, type GroupMember } from './sticky-assignment.js';
import type { TopicPartitions } from './topic-partitions.js';

const range = (length: number): number[] => Array.from({ length }, (_, n) => n);

function plain(assigned: ReadonlyMap<string, ReadonlyMap<string, number[]>>): Record<string, object> {
  return Object.fromEntries(Array.from(assigned, ([id, topics]) => [id, Object.fromEntries(topics)]));
}

/** Each member takes what it is given and lets go of what it is not, and joins again, until nothing changes. */
function settle(
  ids: readonly string[],
  before: readonly GroupMember[],
  topics: TopicPartitions,
): { members: GroupMember[]; rounds: number } {
  const held = new Map(before.map((member) => [member.memberId, member.held]));
  const read = topics.map(([topic]) => topic);
  let members: GroupMember[] = ids.map((memberId) => ({
    memberId,
    topics: read,
    held: held.get(memberId) ?? [],
  }));
  for (let rounds = 1; ; rounds++) {
    const assigned = assignSticky(members, topics);
    const next = ids.map((memberId) => ({ memberId, topics: read, held: [...assigned.get(memberId)!] }));
    const isSettled = countOf(next) === topics.reduce((sum, [, partitions]) => sum + partitions.length, 0);
    members = next;
    if (isSettled) return { members, rounds };
    if (rounds > 3) throw new Error('It does not settle.');
  }
}

function countOf(members: readonly GroupMember[]): number {
  return members.flatMap(({ held }) => held.flatMap(([, partitions]) => partitions)).length;
}

function keysOf({ held }: GroupMember): Set<string> {
  return new Set(
    held.flatMap(([topic, partitions]) => partitions.map((partition) => `${topic} ${partition}`)),
  );
}

describe('assignSticky', () => {
  it('gives everything to a single member', () => {
    expect(plain(assignSticky([{ memberId: 'a', topics: ['t'], held: [] }], [['t', range(3)]]))).toEqual({
      a: { t: [0, 1, 2] },
    });
  });

  it('gives a newcomer nothing that somebody still holds, and takes only what is too much', () => {
    const members = [
      { memberId: 'a', topics: ['t'], held: [['t', range(4)] as const] },
      { memberId: 'b', topics: ['t'], held: [] },
    ];
    expect(plain(assignSticky(members, [['t', range(4)]]))).toEqual({ a: { t: [0, 1] }, b: {} });
    const later = [
      { memberId: 'a', topics: ['t'], held: [['t', [0, 1]] as const] },
      { memberId: 'b', topics: ['t'], held: [] },
    ];
    expect(plain(assignSticky(later, [['t', range(4)]]))).toEqual({ a: { t: [0, 1] }, b: { t: [2, 3] } });
  });

  it('forgets partitions and topics that are no more', () => {
    const members = [
      { memberId: 'a', topics: ['t'], held: [['gone', [0]] as const, ['t', [0, 7]] as const] },
    ];
    expect(plain(assignSticky(members, [['t', range(2)]]))).toEqual({ a: { t: [0, 1] } });
  });

  it('gives a topic to those only that read it, evenly, and what nobody reads to nobody', () => {
    const members = [
      { memberId: 'a', topics: ['t', 'old'], held: [['old', [0]] as const] },
      { memberId: 'b', topics: ['t', 'new'], held: [['old', [1]] as const] },
      { memberId: 'c', topics: ['t', 'new'], held: [] },
    ];
    const topics: TopicPartitions = [
      ['gone', range(3)],
      ['new', range(4)],
      ['old', range(3)],
      ['t', range(3)],
    ];
    // One that a former reader still holds is free when that one has let go of it.
    expect(plain(assignSticky(members, topics))).toEqual({
      a: { old: [0, 2], t: [2] },
      b: { new: [0, 1], t: [0] },
      c: { new: [2, 3], t: [1] },
    });
  });

  it('settles evenly in two rounds, each partition with one member, whoever comes and goes; what can stay stays', () => {
    const names = fc.subarray(['a', 'b', 'c', 'd', 'e', 'f'], { minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(names, { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
        (groups, sizes) => {
          const topics: TopicPartitions = sizes.map((size, n) => [`t${n}`, range(size)]);
          let members: GroupMember[] = [];
          for (const ids of groups) {
            const before = members;
            const settled = settle(ids, before, topics);
            members = settled.members;
            expect(settled.rounds).toBeLessThanOrEqual(2);
            expect(new Set(members.flatMap((member) => [...keysOf(member)])).size).toBe(countOf(members));
            for (const [topic, partitions] of topics) {
              const counts = members.map(
                ({ held }) => held.find(([name]) => name === topic)?.[1].length ?? 0,
              );
              expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
              expect(counts.reduce((sum, count) => sum + count, 0)).toBe(partitions.length);
            }
            // The same members again: nothing moves.
            expect(settle(ids, members, topics)).toEqual({ members, rounds: 1 });
          }
        },
      ),
      {
        numRuns: 300,
        examples: [
          // Took three rounds: who was to have one more changed when another had taken what was free.
          [
            [['f'], ['b', 'd', 'e', 'f'], ['a', 'b', 'c', 'd'], ['c']],
            [5, 5, 2],
          ],
        ],
      },
    );
  });

  it('moves no more than a newcomer’s part', () => {
    const topics: TopicPartitions = [['t', range(64)]];
    const three = settle(['a', 'b', 'c'], [], topics).members;
    const four = settle(['a', 'b', 'c', 'd'], three, topics).members;
    for (const member of four.slice(0, 3)) {
      const before = keysOf(three.find(({ memberId }) => memberId === member.memberId)!);
      expect([...keysOf(member)].filter((key) => !before.has(key))).toEqual([]);
    }
    expect(four.map((member) => keysOf(member).size)).toEqual([16, 16, 16, 16]);
  });
});
