import { createRequire } from 'node:module';
import { produceRequest } from './produce-request.js';
import { groupByPartition } from './group-by-partition.js';
import { decodeRecordBatch, isPlainBatch, type FetchDecoder } from './record-batch-decoder.js';

const PRODUCER = 'kafkajs/src/producer';
const PROTOCOL = 'kafkajs/src/protocol';

/** kafkajs's writer of requests, as far as it is changed here. */
interface Encoder {
  buf: Buffer;
  offset: number;
  ensureAvailable(length: number): void;
}

/**
 * Puts our codec in the place of kafkajs's, which allocates and copies several times as much (docs/performance.md).
 * kafkajs loads these modules with its first produce and its first fetch request: so before either. They are internal,
 * and the version is pinned; `codec.spec.ts` holds ours against the originals.
 */
export function installCodec(): void {
  const require = createRequire(import.meta.url);
  const decodeAny = require(`${PROTOCOL}/recordBatch/v0/decoder.js`) as (
    decoder: FetchDecoder,
  ) => Promise<unknown>;
  replace(require, `${PRODUCER}/groupMessagesPerPartition.js`, groupByPartition);
  replace(require, `${PROTOCOL}/requests/produce/v3/request.js`, produceRequest);
  replace(require, `${PROTOCOL}/recordBatch/v0/decoder.js`, (decoder: FetchDecoder) =>
    isPlainBatch(decoder) ? decodeRecordBatch(decoder) : decodeAny(decoder),
  );
  const { prototype } = require(`${PROTOCOL}/encoder.js`) as { prototype: Encoder };
  prototype.ensureAvailable = growUnzeroed;
}

/** A frame is put around each request, twice. Only what was written leaves the buffer, so nothing needs zeroing. */
function growUnzeroed(this: Encoder, length: number): void {
  const needed = this.offset + length;
  if (needed <= this.buf.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.buf.length));
  this.buf.copy(grown, 0, 0, this.offset);
  this.buf = grown;
}

function replace(require: NodeJS.Require, path: string, exports: unknown): void {
  const module = require.cache[require.resolve(path)] ?? loaded(require, path);
  module.exports = exports;
}

function loaded(require: NodeJS.Require, path: string): NodeJS.Module {
  require(path);
  const module = require.cache[require.resolve(path)];
  if (!module) throw new Error(`kafkajs has no module ${path}: was its version changed?`);
  return module;
}
