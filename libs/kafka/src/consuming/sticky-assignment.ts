import { partitionKey, type TopicPartitions } from './topic-partitions.js';

export interface GroupMember {
  memberId: string;
  /** What it reads: nothing else is assigned to it. */
  topics: readonly string[];
  /** What it holds at the moment and will not let go of unless it is assigned to it no more. */
  held: TopicPartitions;
}

/**
 * Divides partitions among members: of each topic evenly, of all as evenly as that allows, and so that as few as
 * possible change hands. A partition that is to change hands is assigned to nobody as long as somebody holds it: its
 * holder sees that it has lost it, finishes what is in flight, and joins again without it.
 * @param topics every partition there is; nobody gets those of a topic that no member reads
 * @returns for every member what it may keep or begin with
 */
export function assignSticky(
  members: readonly GroupMember[],
  topics: TopicPartitions,
): Map<string, Map<string, number[]>> {
  const ids = members.map(({ memberId }) => memberId).sort();
  const holders = holdersOf(members);
  const assigned = new Map(ids.map((id) => [id, new Map<string, number[]>()]));
  const totals = new Map(ids.map((id) => [id, 0]));
  for (const [topic, partitions] of topics) {
    const shares = divide(topic, partitions, readersOf(topic, members), holders, totals);
    for (const [id, share] of shares) {
      totals.set(id, totals.get(id)! + share.length);
      const free = share.filter((partition) => {
        const holder = holders.get(partitionKey(topic, partition));
        return holder === undefined || holder === id;
      });
      if (free.length > 0)
        assigned.get(id)!.set(
          topic,
          free.sort((a, b) => a - b),
        );
    }
  }
  return assigned;
}

function readersOf(topic: string, members: readonly GroupMember[]): string[] {
  return members
    .filter(({ topics }) => topics.includes(topic))
    .map(({ memberId }) => memberId)
    .sort();
}

/** Whoever says so holds a partition; if several do, which cannot be, the first. */
function holdersOf(members: readonly GroupMember[]): Map<string, string> {
  const holders = new Map<string, string>();
  for (const { memberId, held } of members) {
    for (const [topic, partitions] of held) {
      for (const partition of partitions) {
        const key = partitionKey(topic, partition);
        if (!holders.has(key)) holders.set(key, memberId);
      }
    }
  }
  return holders;
}

/**
 * Who should have which partitions of one topic, whoever holds them now.
 * @param ids who reads it
 */
function divide(
  topic: string,
  partitions: readonly number[],
  ids: readonly string[],
  holders: ReadonlyMap<string, string>,
  totals: ReadonlyMap<string, number>,
): Map<string, number[]> {
  const holding = new Map<string, number[]>(ids.map((id) => [id, []]));
  const free: number[] = [];
  const toLetGo: number[] = [];
  for (const partition of partitions) {
    const holder = holders.get(partitionKey(topic, partition));
    if (holder === undefined) free.push(partition);
    else (holding.get(holder) ?? toLetGo).push(partition);
  }
  const least = Math.floor(partitions.length / ids.length);
  // One more for those that have the fewest of the other topics; among these, for those that hold the most of this one.
  const byNeed = [...ids].sort(
    (a, b) => totals.get(a)! - totals.get(b)! || holding.get(b)!.length - holding.get(a)!.length,
  );
  const favoured = partitions.length % ids.length;
  const quota = new Map(byNeed.map((id, rank) => [id, least + (rank < favoured ? 1 : 0)]));
  const shares = new Map<string, number[]>();
  for (const [id, held] of holding) {
    shares.set(id, held.slice(0, quota.get(id)));
    toLetGo.push(...held.slice(quota.get(id)));
  }
  // In that order what is free goes out too, so that it is the same when they join again: nobody that is to have less
  // holds more by then, and nothing is planned anew.
  const loose = [...free, ...toLetGo];
  for (const id of byNeed) {
    const share = shares.get(id)!;
    share.push(...loose.splice(0, quota.get(id)! - share.length));
  }
  return shares;
}
