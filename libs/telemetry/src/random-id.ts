import { randomFillSync } from 'node:crypto';

// One system call and one hex conversion per 8 KiB instead of one of each per id.
const pool = Buffer.allocUnsafe(8192);
let used = pool.length;

function take(bytes: number): string {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const id = pool.toString('hex', used, used + bytes);
    used += bytes;
    // W3C forbids ids of nothing but zeros.
    if (!/^0+$/.test(id)) return id;
  }
}

/** 128 random bits in lower-case hex. */
export function newTraceId(): string {
  return take(16);
}

/** 64 random bits in lower-case hex. */
export function newSpanId(): string {
  return take(8);
}
