import { Problem } from '@quittance/contracts';

/** Something wrong in what was sent: where, as a JSON pointer into the event, and what. */
export interface EventViolation {
  path: string;
  message: string;
}

export type EventErrorCode =
  'invalid_cloudevent' | 'unknown_event_type' | 'unknown_schema_version' | 'schema_mismatch' | 'forbidden';

/** One event that is refused. */
export class EventError extends Error {
  constructor(
    readonly code: EventErrorCode,
    readonly violations: EventViolation[],
  ) {
    super(violations[0]?.message ?? code);
  }
}

export function invalidAttribute(name: string, message: string): EventError {
  return new EventError('invalid_cloudevent', [{ path: `/${name}`, message }]);
}

const MAX_LISTED = 100;
const DETAIL: Record<EventErrorCode, string> = {
  invalid_cloudevent: 'Correct the members that "errors" names.',
  unknown_event_type: 'Register the event type, or correct its name.',
  unknown_schema_version: 'Add the version to the event type, or name one that it has.',
  schema_mismatch: "Correct the data, or the event type's schema.",
  forbidden: 'Types that begin with "quittance." are reserved for events of the system itself.',
};

/**
 * Reads or checks each element, and refuses the whole if any element is wrong.
 * @param inBatch whether paths begin with the element's index
 * @throws Problem with the code of the first wrong element, and the violations of all
 */
export function eachOrProblem<T, R>(
  items: readonly T[],
  inBatch: boolean,
  handle: (item: T, index: number) => R,
): R[] {
  const results: R[] = [];
  const errors: EventViolation[] = [];
  let code: EventErrorCode | undefined;
  for (const [index, item] of items.entries()) {
    try {
      results.push(handle(item, index));
    } catch (error) {
      if (!(error instanceof EventError)) throw error;
      code ??= error.code;
      for (const { path, message } of error.violations) {
        if (errors.length < MAX_LISTED) errors.push({ path: inBatch ? `/${index}${path}` : path, message });
      }
    }
  }
  if (code === undefined) return results;
  const [first] = errors;
  throw new Problem(code, `${first?.path ?? ''}: ${first?.message ?? ''}. ${DETAIL[code]}`, { errors });
}
