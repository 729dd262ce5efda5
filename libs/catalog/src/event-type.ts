import type { Deprecation, EventTypeResource, EventTypeVersion } from '@quittance/contracts';
import { compileEventSchema, type EventSchema, type Violation } from './event-schema.js';

/** What events of one version of a type are checked with. */
export interface CompiledVersion {
  readonly name: string;
  /** The version's own; the type's stands in its resource. */
  readonly deprecated: Deprecation | undefined;
  /**
   * Never throws. Empty when the data is valid.
   * @param dataBytes the data's size as text, when it is known
   */
  validate(data: unknown, dataBytes?: number): Violation[];
}

/** An event type, ready to validate with. */
export interface CompiledEventType {
  readonly resource: EventTypeResource;
  /**
   * @param name what the event's `schemaversion` says; without it, the last version
   * @returns `undefined` when there is no such version: always for a type without versions, which accepts any data
   */
  version(name?: string): CompiledVersion | undefined;
}

const NO_VIOLATIONS = (): Violation[] => [];

/**
 * The last version is compiled now, earlier ones when they are first used: most never are.
 * @throws DefinitionError when the last version's schema cannot be used
 */
export function compileEventType(resource: EventTypeResource): CompiledEventType {
  const last = resource.spec.versions.at(-1);
  const latest = last === undefined ? undefined : compileEventSchema(last.schema);
  return eventTypeOf(resource, (version) =>
    version === last && latest !== undefined ? latest : new LazySchema(version.schema),
  );
}

/** Stands in for a type that does not compile and of which no earlier record is known: it accepts nothing. */
export function brokenEventType(resource: EventTypeResource, problem: string): CompiledEventType {
  return eventTypeOf(resource, () => refusing(problem));
}

/** For services that never validate: the type is known, its schemas are not compiled. */
export function uncheckedEventType(resource: EventTypeResource): CompiledEventType {
  return eventTypeOf(resource, () => ({ validate: NO_VIOLATIONS }));
}

function eventTypeOf(
  resource: EventTypeResource,
  schemaOf: (version: EventTypeVersion) => EventSchema,
): CompiledEventType {
  const byName = new Map<string, CompiledVersion>();
  let latest: CompiledVersion | undefined;
  for (const version of resource.spec.versions) {
    const schema = schemaOf(version);
    latest = {
      name: version.version,
      deprecated: version.deprecated,
      validate: (data, dataBytes) => schema.validate(data, dataBytes),
    };
    byName.set(latest.name, latest);
  }
  return { resource, version: (name) => (name === undefined ? latest : byName.get(name)) };
}

function refusing(problem: string): EventSchema {
  const violations = [{ path: '', message: `cannot be checked: ${problem}` }];
  return { validate: () => violations };
}

class LazySchema implements EventSchema {
  private compiled: EventSchema | undefined;

  constructor(private readonly schema: Record<string, unknown> | boolean) {}

  validate(data: unknown, dataBytes?: number): Violation[] {
    this.compiled ??= this.compile();
    return this.compiled.validate(data, dataBytes);
  }

  private compile(): EventSchema {
    try {
      return compileEventSchema(this.schema);
    } catch (error) {
      return refusing(error instanceof Error ? error.message : 'unknown error');
    }
  }
}
