import type { Fact } from './story.fixture.js';

/** A generator of numbers in [0, 1) that repeats itself for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The facts in any order, some of them more than once. */
export function jumbled(facts: readonly Fact[], random: () => number): Fact[] {
  const repeated = facts.filter(() => random() < 0.3);
  return [...facts, ...repeated]
    .map((fact) => ({ fact, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ fact }) => fact);
}
