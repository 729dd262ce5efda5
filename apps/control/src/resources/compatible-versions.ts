import { checkCompatibility } from '@quittance/catalog';
import type { EventTypeSpec } from '@quittance/contracts';
import type { Fault } from './kinds.js';
import { invalid } from './resource-body.js';

const ADVICE = 'Leave this version as it is, and add a new one under another name.';

/**
 * A version that keeps its name must accept whatever it accepted before, used or not: nobody can know who is about to.
 * @throws Problem `incompatible_schema`, with the place in the new schema of all that is refused now
 */
export function assertCompatible(before: EventTypeSpec, after: EventTypeSpec): void {
  const known = new Map(before.versions.map(({ version, schema }) => [version, schema]));
  const faults = after.versions.flatMap(({ version, schema }, index): Fault[] => {
    const earlier = known.get(version);
    if (earlier === undefined) return [];
    return checkCompatibility(earlier, schema).map(({ path, message }) => ({
      path: `/spec/versions/${index}/schema${path}`,
      message,
    }));
  });
  if (faults.length > 0) throw invalid(faults, 'incompatible_schema', ADVICE);
}
