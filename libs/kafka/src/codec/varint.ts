/** Bytes of a zigzag varint, for values that fit 32 bits. */
export function varintSize(value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let size = 1;
  while (rest > 0x7f) {
    size++;
    rest >>>= 7;
  }
  return size;
}

/** @returns the offset behind it */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let offset = at;
  while (rest > 0x7f) {
    buffer[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[offset++] = rest;
  return offset;
}

/** Reads along a buffer. */
export class Cursor {
  constructor(
    readonly buffer: Buffer,
    public offset: number,
  ) {}

  /** Zigzag varint of up to 53 bits: lengths, offset deltas, timestamp deltas. */
  varint(): number {
    const { buffer } = this;
    let byte = buffer[this.offset++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    let factor = 0x80;
    do {
      byte = buffer[this.offset++]!;
      value += (byte & 0x7f) * factor;
      factor *= 0x80;
    } while (byte >= 0x80 && factor < 2 ** 63);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Goes past what `bytes` would read. */
  skip(): void {
    const length = this.varint();
    if (length > 0) this.offset += length;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const from = this.offset;
    this.offset += length;
    return this.buffer.subarray(from, this.offset);
  }
}
