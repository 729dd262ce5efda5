import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { DefinitionError } from './definition-error.js';
import { linearRegExp, PatternError } from './linear-regexp.js';
import { guardSchema, type SchemaShape } from './schema-guards.js';
import { runWithin, TooSlowError } from './watchdog.js';

/** Where something is wrong, as a JSON pointer (`''` is the whole), and what. */
export interface Violation {
  path: string;
  message: string;
}

/** A compiled JSON Schema. */
export interface EventSchema {
  /**
   * Never throws.
   * @param dataBytes the data's size as text; decides whether the time it takes is watched
   * @returns at most 20 violations; none when the data is valid
   */
  validate(data: unknown, dataBytes?: number): Violation[];
}

const MAX_VIOLATIONS = 20;
/** Formats are checked with backtracking expressions, some quadratic: longer texts do not have the format. */
const MAX_FORMAT_LENGTH = 2048;
const TIME_LIMIT_MS = 250;
const UNWATCHED_STEPS = 25e6;
/** Up to here, comparing all pairs of an array's items takes at most 50 ms. */
const UNWATCHED_PAIRS_BYTES = 4096;
/** Larger data gets its first violation only: listing all of them takes a hundred bytes for each byte. */
const MAX_LISTED_BYTES = 64 * 1024;

/** Compiled once per process: it takes 60 ms. */
let metaSchema: Ajv2020 | undefined;

/**
 * @throws DefinitionError when the schema is not JSON Schema 2020-12, refers to something outside of it, has keywords
 *   or formats that nobody knows, or costs too much
 */
export function compileEventSchema(schema: Record<string, unknown> | boolean): EventSchema {
  const shape = guardSchema(schema);
  checkAgainstMetaSchema(schema);
  const every = compile(schema, true);
  let first: ValidateFunction | undefined;
  return {
    validate(data, dataBytes = MAX_LISTED_BYTES) {
      if (dataBytes > MAX_LISTED_BYTES) first ??= compile(schema, false);
      const validator = dataBytes > MAX_LISTED_BYTES && first !== undefined ? first : every;
      const run = (): Violation[] => (validator(data) ? [] : violationsOf(validator));
      try {
        return isLong(shape, dataBytes) ? runWithin(TIME_LIMIT_MS, run) : run();
      } catch (error) {
        return [{ path: '', message: failureOf(error) }];
      }
    },
  };
}

function failureOf(error: unknown): string {
  if (error instanceof TooSlowError) {
    return `takes too long to check against its schema (more than ${TIME_LIMIT_MS} ms)`;
  }
  if (error instanceof RangeError) return 'is nested too deeply to be checked against its schema';
  // The validator of some schemas with "unevaluatedProperties" fails on some data.
  return 'cannot be checked against its schema: the schema makes the validator fail';
}

function isLong(shape: SchemaShape, dataBytes: number): boolean {
  return (
    shape.recursive ||
    shape.cost * dataBytes > UNWATCHED_STEPS ||
    (shape.quadratic && dataBytes > UNWATCHED_PAIRS_BYTES)
  );
}

function checkAgainstMetaSchema(schema: Record<string, unknown> | boolean): void {
  metaSchema ??= new Ajv2020({ strict: false, logger: false });
  if (metaSchema.validateSchema(schema) === true) return;
  const error = metaSchema.errors?.[0];
  throw new DefinitionError(
    `The schema is not JSON Schema 2020-12: ${error?.instancePath || 'it'} ${error?.message ?? 'is invalid'}.`,
  );
}

function compile(schema: Record<string, unknown> | boolean, allErrors: boolean): ValidateFunction {
  // One instance per schema: instances remember every schema, and their $ids would collide.
  const ajv = new Ajv2020({
    meta: false,
    validateSchema: false,
    // Unknown keywords and formats are errors: a mistyped "requird" would otherwise accept everything.
    strictSchema: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
    allErrors,
    code: { regExp: linearEngine },
  });
  addFormats.default(ajv);
  boundFormats(ajv);
  ajv.addVocabulary(vendorKeywords(schema));
  try {
    return ajv.compile(schema);
  } catch (error) {
    const detail = error instanceof Error ? error.message.replace(/^strict mode: /, '') : 'unknown error';
    if (error instanceof PatternError) throw new DefinitionError(detail, { cause: error });
    throw new DefinitionError(`The schema cannot be used: ${detail}.`, { cause: error });
  }
}

const linearEngine = Object.assign(
  (pattern: string): { test: (text: string) => boolean } => linearRegExp(pattern),
  { code: 'linearRegExp' },
);

function boundFormats(ajv: Ajv2020): void {
  for (const [name, format] of Object.entries(ajv.formats)) {
    if (format instanceof RegExp) {
      ajv.addFormat(name, (text: string) => text.length <= MAX_FORMAT_LENGTH && format.test(text));
    } else if (typeof format === 'function') {
      ajv.addFormat(name, (text: string) => text.length <= MAX_FORMAT_LENGTH && format(text) === true);
    }
  }
}

/** `x-…` keywords are annotations of other tools; OpenAPI's `example` is as common. */
function vendorKeywords(schema: unknown): string[] {
  const found = new Set(['example']);
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      if (/^x-[\w-]+$/.test(key)) found.add(key);
      visit(member);
    }
  };
  visit(schema);
  return [...found];
}

function violationsOf(validator: ValidateFunction): Violation[] {
  const violations = (validator.errors ?? []).slice(0, MAX_VIOLATIONS).map(violationOf);
  // The data is the caller's to drop: a validator would hold it until its next failure.
  validator.errors = null;
  return violations;
}

function violationOf(error: ErrorObject): Violation {
  const params: Record<string, unknown> = error.params;
  const member =
    params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'] ?? undefined;
  const message = error.message ?? 'is invalid';
  if (typeof member !== 'string') return { path: error.instancePath, message };
  const path = `${error.instancePath}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return { path: path.slice(0, 1024), message: message.slice(0, 1024) };
}
