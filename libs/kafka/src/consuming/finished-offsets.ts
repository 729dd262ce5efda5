import type { FinishedRuns } from './commit-metadata.js';

const FIRST_WORDS = 32;
const WORD_BITS = 32;

/**
 * The finished offsets of a partition: all below a floor that only rises, and some above it, one bit each. Adding one
 * costs the same whatever stands above the floor, and runs are read off without sorting.
 */
export class FinishedOffsets {
  private words = new Uint32Array(FIRST_WORDS);
  /** The offset of the first bit. */
  private base: bigint;
  private floorBit = 0;
  /** One above the highest bit ever set. */
  private topBit = 0;
  private lowest: bigint;

  /** @param floor every offset below it is finished */
  constructor(floor: bigint) {
    this.base = floor;
    this.lowest = floor;
  }

  /** The first offset that is not finished. */
  get floor(): bigint {
    return this.lowest;
  }

  has(offset: bigint): boolean {
    if (offset < this.lowest) return true;
    const bit = Number(offset - this.base);
    if (bit >= this.topBit) return false;
    return (this.words[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  add(offset: bigint): void {
    if (offset < this.lowest) return;
    let bit = Number(offset - this.base);
    if (bit >= this.words.length * WORD_BITS) {
      this.makeRoom(bit);
      bit = Number(offset - this.base);
    }
    this.words[bit >>> 5]! |= 1 << (bit & 31);
    if (bit >= this.topBit) this.topBit = bit + 1;
    if (bit === this.floorBit) this.raiseFloor();
  }

  /** Adds those from `from` up to, and without, `to`: a word at a time. */
  addRun(from: bigint, to: bigint): void {
    if (to <= this.lowest || to <= from) return;
    const start = from < this.lowest ? this.lowest : from;
    if (start === this.lowest && to - this.base >= BigInt(this.topBit)) {
      // Nothing is known above it: however long it is, it takes no room.
      this.words.fill(0);
      this.base = to;
      this.lowest = to;
      this.floorBit = 0;
      this.topBit = 0;
      return;
    }
    if (to - this.base > BigInt(this.words.length * WORD_BITS)) this.makeRoom(Number(to - this.base) - 1);
    const first = Number(start - this.base);
    const last = Number(to - this.base) - 1;
    const head = -1 << (first & 31);
    const tail = -1 >>> (31 - (last & 31));
    if (first >>> 5 === last >>> 5) this.words[first >>> 5]! |= head & tail;
    else {
      this.words[first >>> 5]! |= head;
      this.words.fill(0xffffffff, (first >>> 5) + 1, last >>> 5);
      this.words[last >>> 5]! |= tail;
    }
    if (last >= this.topBit) this.topBit = last + 1;
    if (first === this.floorBit) this.raiseFloor();
  }

  /** The lowest runs above the floor, at most `most`. */
  runs(most: number): FinishedRuns {
    const runs: [bigint, bigint][] = [];
    for (let bit = this.floorBit; runs.length < most;) {
      const from = this.next(bit, true);
      if (from >= this.topBit) break;
      bit = this.next(from, false);
      runs.push([this.base + BigInt(from), this.base + BigInt(bit)]);
    }
    return runs;
  }

  private raiseFloor(): void {
    this.floorBit = this.next(this.floorBit, false);
    this.lowest = this.base + BigInt(this.floorBit);
  }

  /** The first bit at or after `from` that is set, or clear; the number of bits where there is none. */
  private next(from: number, isSet: boolean): number {
    const flip = isSet ? 0 : -1;
    let mask = -1 << (from & 31);
    for (let word = from >>> 5; word < this.words.length; word++) {
      const bits = (this.words[word]! ^ flip) & mask;
      if (bits !== 0) return word * WORD_BITS + 31 - Math.clz32(bits & -bits);
      mask = -1;
    }
    return this.words.length * WORD_BITS;
  }

  /** Lets go of the words below the floor, and takes more where that is too little. */
  private makeRoom(bit: number): void {
    const gone = this.floorBit >>> 5;
    const needed = (bit >>> 5) - gone + 1;
    let size = this.words.length;
    // Unless half of the words are gone there is twice the room afterwards: so each word is moved seldom.
    while (size < needed || (size === this.words.length && gone * 2 < size)) size *= 2;
    const words = new Uint32Array(size);
    words.set(this.words.subarray(gone));
    this.words = words;
    this.base += BigInt(gone * WORD_BITS);
    this.floorBit -= gone * WORD_BITS;
    this.topBit -= gone * WORD_BITS;
  }
}
