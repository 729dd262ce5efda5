import { createRequire } from 'node:module';
import { encodeRecordBatch, type EncodableBatch } from './record-batch-encoder.js';
import { decodeRecordBatch, isPlainBatch, type FetchDecoder } from './record-batch-decoder.js';

const PROTOCOL = 'kafkajs/src/protocol/recordBatch';

/**
 * Puts our record codec in the place of kafkajs's, which allocates and copies several times as
 * much (docs/performance.md). kafkajs
 * loads these modules with its first produce and its first fetch request: so before either. They are internal,
 * and the version is pinned; `codec.spec.ts` holds ours against the originals.
 */
export function installCodec(): void {
  const require = createRequire(import.meta.url);
  const original = require(`${PROTOCOL}/v0/index.js`) as object;
  const decodeAny = require(`${PROTOCOL}/v0/decoder.js`) as (decoder: FetchDecoder) => Promise<unknown>;
  replace(require, `${PROTOCOL}/record/v0/index.js`, (record: unknown) => record);
  replace(require, `${PROTOCOL}/v0/index.js`, {
    ...original,
    RecordBatch: (batch: EncodableBatch) => encodeRecordBatch(batch),
  });
  replace(require, `${PROTOCOL}/v0/decoder.js`, (decoder: FetchDecoder) =>
    isPlainBatch(decoder) ? decodeRecordBatch(decoder) : decodeAny(decoder),
  );
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
