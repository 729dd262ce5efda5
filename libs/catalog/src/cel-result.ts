import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';

/** A body is at most 1 MiB, whatever its format; a transform's result cannot be larger either. */
const MAX_RESULT_BYTES = 1024 * 1024;
const MAX_DEPTH = 128;

/** A result that cannot become JSON. */
export class ResultError extends Error {
  readonly retryable = false;

  constructor(
    readonly code: 'transform_failed' | 'body_too_large',
    message: string,
  ) {
    super(message);
  }
}

/**
 * CEL's value as one that JSON.stringify accepts: ints become numbers, timestamps RFC 3339, durations `3600s`, bytes
 * base64. Parts that need no change are the same objects as before.
 * @throws ResultError when the value has no JSON form, or would be larger than 1 MiB
 */
export function toJsonValue(value: unknown): unknown {
  return convert(value, { bytes: MAX_RESULT_BYTES }, 0);
}

/** Counted before anything is written: a small expression can name the same large value many times. */
function spend(budget: { bytes: number }, bytes: number): void {
  budget.bytes -= bytes;
  if (budget.bytes < 0) throw new ResultError('body_too_large', 'The result is larger than 1 MiB.');
}

function convert(value: unknown, budget: { bytes: number }, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      spend(budget, value.length + 2);
      return value;
    case 'boolean':
      spend(budget, 4);
      return value;
    case 'number':
      spend(budget, 1);
      if (!Number.isFinite(value)) throw noJson(`the number ${value}`);
      return value;
    case 'bigint':
      return convertInteger(value, budget);
    case 'object':
      if (value === null) {
        spend(budget, 4);
        return value;
      }
      if (depth >= MAX_DEPTH) throw noJson(`more than ${MAX_DEPTH} levels`);
      return convertObject(value, budget, depth);
    default:
      throw noJson(`a ${typeof value}`);
  }
}

function convertInteger(value: bigint, budget: { bytes: number }): number {
  spend(budget, 1);
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw noJson(`the integer ${value}, which JSON numbers cannot hold exactly: use string()`);
  }
  return number;
}

function convertObject(value: object, budget: { bytes: number }, depth: number): unknown {
  if (Array.isArray(value)) return convertArray(value, budget, depth);
  if (value instanceof Map) return convertRecord(Object.fromEntries(value), budget, depth);
  if (value instanceof Set) return convertArray([...value], budget, depth);
  if (value instanceof Date) return convert(value.toISOString(), budget, depth);
  if (value instanceof Duration) return convert(value.toString(), budget, depth);
  if (value instanceof UnsignedInt) return convertInteger(value.value, budget);
  if (value instanceof Uint8Array) {
    spend(budget, Math.ceil(value.length / 3) * 4);
    return Buffer.from(value).toString('base64');
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw noJson('a type');
  return convertRecord(value as Record<string, unknown>, budget, depth);
}

function convertArray(value: unknown[], budget: { bytes: number }, depth: number): unknown[] {
  spend(budget, value.length + 1);
  let copy: unknown[] | undefined;
  for (let index = 0; index < value.length; index++) {
    const before = value[index];
    const after = convert(before, budget, depth + 1);
    if (after !== before) (copy ??= [...value])[index] = after;
  }
  return copy ?? value;
}

function convertRecord(
  value: Record<string, unknown>,
  budget: { bytes: number },
  depth: number,
): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  spend(budget, 2);
  for (const key of Object.keys(value)) {
    spend(budget, key.length + 4);
    const before = value[key];
    const after = convert(before, budget, depth + 1);
    // The copy has every key as its own already, so that even `__proto__` is set as a plain member.
    if (after !== before) (copy ??= { ...value })[key] = after;
  }
  return copy ?? value;
}

function noJson(what: string): ResultError {
  return new ResultError('transform_failed', `The result contains ${what}, which has no JSON form.`);
}
