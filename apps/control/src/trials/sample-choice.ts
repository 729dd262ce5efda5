import { Inject, Injectable } from '@nestjs/common';
import { Catalogue, compileEventSchema } from '@quittance/catalog';
import {
  Problem,
  RESERVED_TYPE_PREFIX,
  type EventTypeSpec,
  type EventTypeVersion,
  type SubscriptionSpec,
} from '@quittance/contracts';
import type { EntityManager } from 'typeorm';
import { kindNamed } from '../resources/kinds.js';
import { ResourceRepository } from '../resources/resource.repository.js';
import type { SubscriptionTest } from './trial-bodies.js';

/** What is sent to try a subscription. */
export interface ChosenSample {
  type: string;
  /** Missing where the type has no versions, or is not in the catalogue. */
  version?: string;
  /** JSON. */
  data: Buffer;
}

type Asked = Pick<SubscriptionTest, 'eventType' | 'version' | 'data'>;

const MAX_TYPES_NAMED = 5;

/** Finds a type that the subscription wants, and data for it. */
@Injectable()
export class SampleChoice {
  constructor(
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(Catalogue) private readonly catalogue: Pick<Catalogue, 'namespace'>,
  ) {}

  /**
   * @throws Problem `no_sample`, `unknown_event_type`, `unknown_schema_version`, `schema_mismatch`; StoreError
   */
  async choose(
    manager: EntityManager,
    namespace: string,
    { events }: SubscriptionSpec,
    asked: Asked,
  ): Promise<ChosenSample> {
    const type = asked.eventType ?? (await this.firstType(manager, namespace, events, asked));
    const address = { kind: kindNamed('EventType'), namespace, name: type };
    const row = await this.resources.find(manager, address);
    if (row) return sampleOf(type, row.spec as EventTypeSpec, asked);
    const isOpen = this.catalogue.namespace(namespace).catalog.policy === 'open';
    // The platform's own events are in no catalogue: a subscription to them can be tried all the same.
    if (!isOpen && !type.startsWith(RESERVED_TYPE_PREFIX)) {
      throw new Problem('unknown_event_type', `The namespace "${namespace}" has no event type "${type}".`);
    }
    if (asked.version !== undefined) throw unknownVersion(type, asked.version);
    if (asked.data !== undefined) return { type, data: bytesOf(asked.data) };
    throw new Problem('no_sample', `The catalogue has no example of "${type}": give "data".`);
  }

  /** In the order of the patterns. What has no example will do where data is given. */
  private async firstType(
    manager: EntityManager,
    namespace: string,
    patterns: readonly string[],
    { data }: Asked,
  ): Promise<string> {
    for (const pattern of patterns) {
      if (!pattern.endsWith('*') && data !== undefined) return pattern;
      const [found] = await manager.query<{ name: string }[]>(
        `SELECT name FROM control.resources
          WHERE kind = 'EventType' AND namespace = $1
            AND CASE WHEN $2 LIKE '%*' THEN starts_with(name, left($2, -1)) ELSE name = $2 END
            AND ($3 OR jsonb_path_exists(spec, '$.versions[*].examples[0]'))
          ORDER BY name LIMIT 1`,
        [namespace, pattern, data !== undefined],
      );
      if (found) return found.name;
    }
    const named = patterns.slice(0, MAX_TYPES_NAMED).join(', ');
    throw new Problem(
      'no_sample',
      `No event type that the subscription wants (${named}) has an example. Add "examples" to a version of one, or give "eventType" and "data".`,
    );
  }
}

/** @throws Problem */
export function sampleOf(
  type: string,
  { versions }: EventTypeSpec,
  { version: name, data }: Asked,
): ChosenSample {
  const named = name === undefined ? undefined : versions.find((each) => each.version === name);
  if (name !== undefined && !named) throw unknownVersion(type, name);
  if (data !== undefined) {
    const version = named ?? versions.at(-1);
    const bytes = bytesOf(data);
    if (version) assertValid(type, version, data, bytes.length);
    return { type, data: bytes, ...(version && { version: version.version }) };
  }
  const version = named ?? versions.findLast(({ examples }) => examples.length > 0);
  const example = version?.examples[0];
  if (version === undefined || example === undefined) {
    throw new Problem(
      'no_sample',
      `${name === undefined ? 'No version' : `Version "${name}"`} of "${type}" has an example. Add "examples" to it, or give "data".`,
    );
  }
  const bytes = bytesOf(example);
  assertValid(type, version, example, bytes.length);
  return { type, version: version.version, data: bytes };
}

function assertValid(type: string, version: EventTypeVersion, data: unknown, bytes: number): void {
  const violations = compileEventSchema(version.schema).validate(data, bytes);
  const [first] = violations;
  if (!first) return;
  const errors = violations.map(({ path, message }) => ({ path: `/data${path}`, message }));
  throw new Problem(
    'schema_mismatch',
    `The data does not match version "${version.version}" of "${type}": /data${first.path} ${first.message}.`,
    { errors },
  );
}

function unknownVersion(type: string, version: string): Problem {
  return new Problem('unknown_schema_version', `The event type "${type}" has no version "${version}".`);
}

function bytesOf(data: unknown): Buffer {
  return Buffer.from(JSON.stringify(data));
}
