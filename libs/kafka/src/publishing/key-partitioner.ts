import type { PartitionSpread } from '@quittance/contracts';

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/** MurmurHash2 as Kafka's Java client has it, so that all clients agree where a key lives. */
function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let part = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    part = Math.imul(part, MULTIPLIER);
    part ^= part >>> SHIFT;
    part = Math.imul(part, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ part;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= bytes[whole + 2]! << 16;
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** `hash` as Kafka's clients use it for placement: without its sign. */
function positiveHash(key: string): number {
  return murmur2(Buffer.from(key)) & 0x7fffffff;
}

/**
 * The partition of a key. The same as kafkajs's, which calculates with wrapped big integers: 3 % of ingest's
 * processor time.
 */
export function partitionOfKey(key: string, partitions: number): number {
  return positiveHash(key) % partitions;
}

const MAX_KNOWN_GROUPS = 10_000;
const knownGroups = new Map<string, readonly number[]>();

/**
 * The partition of a key among those of its group. A group's partitions are the ones that score highest with its name
 * (rendezvous hashing), so different groups mostly have different ones, and a topic that grows moves few groups.
 */
export function partitionInSpread(key: string, spread: PartitionSpread, partitions: number): number {
  const count = Math.max(1, Math.min(spread.partitions, partitions >> 1));
  const mine = partitionsOfGroup(spread.group, count, partitions);
  return mine[positiveHash(key) % count]!;
}

function partitionsOfGroup(group: string, count: number, partitions: number): readonly number[] {
  const name = `${count}/${partitions}/${group}`;
  const known = knownGroups.get(name);
  if (known) return known;
  const scored = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    score: positiveHash(`${partition}/${group}`),
  }));
  scored.sort((a, b) => b.score - a.score || a.partition - b.partition);
  const chosen = scored.slice(0, count).map(({ partition }) => partition);
  if (knownGroups.size >= MAX_KNOWN_GROUPS) knownGroups.clear();
  knownGroups.set(name, chosen);
  return chosen;
}
