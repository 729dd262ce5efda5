import type { EventTypeResource } from '@quittance/contracts';
import { compileEventSchema, type EventSchema, type Violation } from './event-schema.js';

/** An event type, ready to validate with. */
export interface CompiledEventType {
  readonly resource: EventTypeResource;
  /** The version that events are checked against; `undefined` when the type has none and accepts anything. */
  readonly version: string | undefined;
  /**
   * Never throws. Empty when the data is valid.
   * @param dataBytes the data's size as text, when it is known
   */
  validate(data: unknown, dataBytes?: number): Violation[];
}

/** @throws DefinitionError when the last version's schema cannot be used */
export function compileEventType(resource: EventTypeResource): CompiledEventType {
  const latest = resource.spec.versions.at(-1);
  if (latest === undefined) return { resource, version: undefined, validate: () => [] };
  const schema: EventSchema = compileEventSchema(latest.schema);
  return {
    resource,
    version: latest.version,
    validate: (data, dataBytes) => schema.validate(data, dataBytes),
  };
}

/** Stands in for a type that does not compile and of which no earlier version is known: it accepts nothing. */
export function brokenEventType(resource: EventTypeResource, problem: string): CompiledEventType {
  const violations = [{ path: '', message: `cannot be checked: ${problem}` }];
  return { resource, version: resource.spec.versions.at(-1)?.version, validate: () => violations };
}

/** For services that never validate: the type is known, its schema is not compiled. */
export function uncheckedEventType(resource: EventTypeResource): CompiledEventType {
  return { resource, version: resource.spec.versions.at(-1)?.version, validate: () => [] };
}
