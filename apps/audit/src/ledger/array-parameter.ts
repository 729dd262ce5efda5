import { StoreError } from '@quittance/persistence';

/**
 * Arrays as query parameters in Postgres' binary format (`array_send`): a header of 20 bytes, then each
 * element with its length before it, -1 for null. Against the text format that pg writes by itself, neither
 * side quotes, escapes or parses, and `bytea` stays at one byte per byte.
 */
interface ElementFormat<T> {
  /** Of the element type, from `pg_type`. */
  oid: number;
  sizeOf(value: T): number;
  write(buffer: Buffer, offset: number, size: number, value: T): void;
}

const HEADER_BYTES = 20;
const MAX_INT4 = 2_147_483_647;
/** Postgres counts microseconds from 2000-01-01. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
/** What JavaScript's Date can hold: the year 275760. Postgres could store later times, but nobody read them. */
const MAX_TIME_MS = 8_640_000_000_000_000;

const TEXT: ElementFormat<string> = {
  oid: 25,
  sizeOf: (value) => Buffer.byteLength(value),
  write: (buffer, offset, size, value) => void buffer.write(value, offset, size, 'utf8'),
};

const JSON_TEXT: ElementFormat<string> = { ...TEXT, oid: 114 };

const BYTEA: ElementFormat<Buffer> = {
  oid: 17,
  sizeOf: (value) => value.length,
  write: (buffer, offset, _size, value) => void value.copy(buffer, offset),
};

const INT4: ElementFormat<number> = {
  oid: 23,
  sizeOf: () => 4,
  write: (buffer, offset, _size, value) => {
    if (!Number.isInteger(value) || Math.abs(value) > MAX_INT4) {
      throw new StoreError('store_rejected', 'A number is out of range for the ledger.');
    }
    buffer.writeInt32BE(value, offset);
  },
};

const INT8: ElementFormat<bigint> = {
  oid: 20,
  sizeOf: () => 8,
  write: (buffer, offset, _size, value) => void buffer.writeBigInt64BE(value, offset),
};

const TIMESTAMPTZ: ElementFormat<number> = {
  oid: 1184,
  sizeOf: () => 8,
  write: (buffer, offset, _size, value) => {
    if (!Number.isSafeInteger(value) || Math.abs(value) > MAX_TIME_MS) {
      throw new StoreError('store_rejected', 'A time is out of range for the ledger.');
    }
    writeThousandfold(buffer, offset, value - POSTGRES_EPOCH_MS);
  },
};

const WORD = 2 ** 32;

/**
 * `value` × 1000 as an int8, which a number cannot hold exactly, in two words: making two big integers of each time was a
 * fifth of the ledger's work.
 */
function writeThousandfold(buffer: Buffer, offset: number, value: number): void {
  const high = Math.floor(value / WORD);
  const low = (value - high * WORD) * 1000;
  const carry = Math.floor(low / WORD);
  buffer.writeInt32BE(high * 1000 + carry, offset);
  buffer.writeUInt32BE(low - carry * WORD, offset + 4);
}

const BOOL: ElementFormat<boolean> = {
  oid: 16,
  sizeOf: () => 1,
  write: (buffer, offset, _size, value) => void buffer.writeUInt8(value ? 1 : 0, offset),
};

function encode<R, T>(format: ElementFormat<T>, rows: readonly R[], pick: (row: R) => T | null): Buffer {
  const values = Array.from<T | null>({ length: rows.length });
  let size = HEADER_BYTES;
  let hasNulls = 0;
  for (const [index, row] of rows.entries()) {
    const value = pick(row);
    values[index] = value;
    if (value === null) hasNulls = 1;
    else size += format.sizeOf(value);
    size += 4;
  }
  const buffer = Buffer.allocUnsafe(size);
  let offset = buffer.writeInt32BE(1, 0);
  offset = buffer.writeInt32BE(hasNulls, offset);
  offset = buffer.writeInt32BE(format.oid, offset);
  offset = buffer.writeInt32BE(rows.length, offset);
  offset = buffer.writeInt32BE(1, offset);
  for (const value of values) {
    if (value === null || value === undefined) {
      offset = buffer.writeInt32BE(-1, offset);
      continue;
    }
    const length = format.sizeOf(value);
    offset = buffer.writeInt32BE(length, offset);
    format.write(buffer, offset, length, value);
    offset += length;
  }
  return buffer;
}

/** One column of a set of rows as one parameter; cast it in SQL (`$1::text[]`). At least one row. */
export function textColumn<R>(rows: readonly R[], pick: (row: R) => string | null): Buffer {
  return encode(TEXT, rows, pick);
}

export function jsonColumn<R>(rows: readonly R[], pick: (row: R) => string | null): Buffer {
  return encode(JSON_TEXT, rows, pick);
}

export function byteaColumn<R>(rows: readonly R[], pick: (row: R) => Buffer | null): Buffer {
  return encode(BYTEA, rows, pick);
}

/** @throws StoreError `store_rejected` when a number does not fit */
export function int4Column<R>(rows: readonly R[], pick: (row: R) => number | null): Buffer {
  return encode(INT4, rows, pick);
}

export function int8Column<R>(rows: readonly R[], pick: (row: R) => bigint | null): Buffer {
  return encode(INT8, rows, pick);
}

/** @param pick epoch milliseconds */
export function timestamptzColumn<R>(rows: readonly R[], pick: (row: R) => number | null): Buffer {
  return encode(TIMESTAMPTZ, rows, pick);
}

export function boolColumn<R>(rows: readonly R[], pick: (row: R) => boolean | null): Buffer {
  return encode(BOOL, rows, pick);
}
