/** One field of a protobuf message, by its wire type. */
export type ProtobufField =
  | { number: number; kind: 'varint' | 'fixed64' | 'fixed32'; value: bigint }
  | { number: number; kind: 'bytes'; value: Buffer };

/**
 * The fields of a protobuf message, in the order in which they stand there.
 * @throws RangeError when the bytes are no message
 */
export function* protobufFields(message: Buffer): Generator<ProtobufField> {
  let offset = 0;

  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message.readUInt8(offset++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('A varint is longer than ten bytes.');
  }

  while (offset < message.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, kind: 'varint', value: varint() };
        break;
      case 1:
        yield { number, kind: 'fixed64', value: message.readBigUInt64LE(offset) };
        offset += 8;
        break;
      case 2: {
        const length = Number(varint());
        if (offset + length > message.length) throw new RangeError('A field is longer than its message.');
        yield { number, kind: 'bytes', value: message.subarray(offset, offset + length) };
        offset += length;
        break;
      }
      case 5:
        yield { number, kind: 'fixed32', value: BigInt(message.readUInt32LE(offset)) };
        offset += 4;
        break;
      default:
        throw new RangeError(`Wire type ${tag & 7} is unknown.`);
    }
  }
}

/** The 64 bits of a `fixed64` field as a float. */
export function toDouble(bits: bigint): number {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(bits);
  return buffer.readDoubleLE();
}
