import type { EventSchema, Violation } from './event-schema.js';

/** They are for people to read. */
export const MAX_EXAMPLE_BYTES = 64 * 1024;
/** Of one event type: all of its examples are in the memory of every service. */
export const MAX_ALL_EXAMPLES_BYTES = 256 * 1024;
/** CPU time for all examples of one event type; a single one has a limit of its own. */
const TIME_LIMIT_MS = 1000;

/** Checks the examples of one event type against the schemas of their versions, within bounds of size and time. */
export class ExampleCheck {
  private bytes = 0;
  private spentMs = 0;

  /**
   * Never throws.
   * @param path of the list of examples, as a JSON pointer
   */
  check(schema: EventSchema, examples: readonly unknown[], path: string): Violation[] {
    return examples.flatMap((example, index) => this.checkOne(schema, example, `${path}/${index}`));
  }

  private checkOne(schema: EventSchema, example: unknown, path: string): Violation[] {
    const refused = (message: string): Violation[] => [{ path, message }];
    const bytes = sizeOf(example);
    if (bytes === undefined) return refused('is nested too deeply');
    if (bytes > MAX_EXAMPLE_BYTES) return refused(`is larger than ${MAX_EXAMPLE_BYTES / 1024} KiB`);
    this.bytes += bytes;
    if (this.bytes > MAX_ALL_EXAMPLES_BYTES) {
      return refused(
        `makes the examples of this type larger than ${MAX_ALL_EXAMPLES_BYTES / 1024} KiB in all: use fewer or smaller ones`,
      );
    }
    if (this.spentMs > TIME_LIMIT_MS) {
      return refused('cannot be checked: the examples before it took too long. Use fewer or smaller ones');
    }
    const before = process.threadCpuUsage();
    const violations = schema.validate(example, bytes);
    const used = process.threadCpuUsage(before);
    this.spentMs += (used.user + used.system) / 1000;
    return violations.map((violation) => ({
      path: path + violation.path,
      message: `is not accepted by the schema of this version: ${violation.message}`,
    }));
  }
}

/** As JSON text; `undefined` when it is nested too deeply for that. */
function sizeOf(value: unknown): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return undefined;
  }
}
