import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileEventSchema } from '../event-schema.js';
import { checkCompatibility } from './compatibility.js';
import { schemaPair } from './schema-pairs.fixture.js';
import { valueFor } from './schema-values.fixture.js';
import type { JsonSchema } from './schema-world.js';

const RUNS = Number(process.env['COMPATIBILITY_RUNS'] ?? 1500);
/** Always the same schemas by default, because the validator has faults of its own; try others before a change. */
const SEED = Number(process.env['COMPATIBILITY_SEED'] ?? 20260131);
const SAMPLES = 60;

describe('checkCompatibility, against the validator', () => {
  it(
    'never passes a schema that refuses what the one before accepted',
    () => {
      let proven = 0;
      let accepted = 0;
      const property = fc.property(schemaPair, fc.integer(), ({ before, after }, seed) => {
        if (!isUsable(before) || !isUsable(after) || checkCompatibility(before, after).length > 0) return;
        proven++;
        const [old, changed] = [validatorOf(before), validatorOf(after)];
        const likely = fc.oneof(valueFor(before), valueFor(after));
        const values = fc.sample(likely, { numRuns: SAMPLES, seed });
        // In a list, the validator takes an empty list for one that contains what the item before it contained.
        const isFaulty = JSON.stringify([before, after]).includes('"contains"');
        const usable = isFaulty ? values.filter((each) => !JSON.stringify(each).includes('[]')) : values;
        for (const value of usable.filter((each) => verdict(old, each) === true)) {
          accepted++;
          if (verdict(changed, value) === false) {
            throw new Error(
              `${JSON.stringify(value)} was accepted, and is not: ${changed.errors?.[0]?.message}`,
            );
          }
        }
      });
      fc.assert(property, { numRuns: RUNS, seed: SEED });
      // Otherwise nothing was tested.
      expect(proven).toBeGreaterThan(RUNS / 10);
      expect(accepted).toBeGreaterThan(RUNS);
    },
    RUNS * 40,
  );

  it('finds every schema compatible with itself', () => {
    const schemas = fc.sample(schemaPair, { numRuns: 300, seed: SEED }).map(({ before }) => before);
    const usable = schemas.filter(isUsable);
    expect(usable.length).toBeGreaterThan(50);
    for (const schema of usable) expect(checkCompatibility(schema, structuredClone(schema))).toEqual([]);
  });
});

/** Not every pair is made of schemas that anybody could save. */
function isUsable(schema: JsonSchema): boolean {
  try {
    compileEventSchema(schema);
    return true;
  } catch {
    return false;
  }
}

/** Without the time limit of the one that events are checked with: a busy machine must not decide. */
function validatorOf(schema: JsonSchema): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, logger: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

/** @returns `undefined` where the validator itself fails, as it does with some `unevaluatedProperties` */
function verdict(validator: ValidateFunction, value: unknown): boolean | undefined {
  try {
    return validator(value) === true;
  } catch {
    return undefined;
  }
}
