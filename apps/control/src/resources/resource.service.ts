import { Inject, Injectable } from '@nestjs/common';
import { Problem, type LadderStep, type ResourcePage, type ResourceView } from '@quittance/contracts';
import { Database, ResourceRow } from '@quittance/persistence';
import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { Publication } from '../outbox/publication.js';
import { Births, type Birth, type BirthPreparation } from './births.js';
import type { Kind } from './kinds.js';
import { parseLabelSelector } from './label-selector.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';
import { parseResource, type ResourceAddress, type ResourceInput } from './resource-body.js';
import { Removals } from './removals.js';
import { Replacements } from './replacements.js';
import { ResourceRepository } from './resource.repository.js';
import { subscriptionPartsOf } from '../subscriptions/subscription-row.js';
import { resourceOf } from './resource-view.js';
import { ResourceViews } from './resource-views.js';
import { ResourceWriter, type ResourceChange } from './resource-writer.js';

export const RETRY_LADDER = Symbol('RETRY_LADDER');

export interface PutResult {
  created: boolean;
  resource: ResourceView;
}

export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
  labelSelector?: string | undefined;
}

interface Written {
  row: ResourceRow;
  secretsChanged: readonly string[];
  /** What the answer shows this once. */
  shown?: Birth['shown'];
}

/** What an action changes of a row. `shown` are members of its answer, and of no other. */
export interface Amendment {
  /** Counts as a new generation. */
  spec?: object;
  status?: object;
  secrets?: object;
  secretsChanged?: readonly string[];
  shown?: { key: string };
}

/** Everything that may be done with a resource, whatever its kind. */
@Injectable()
export class ResourceService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(ResourceWriter) private readonly writer: ResourceWriter,
    @Inject(Publication) private readonly publication: Publication,
    @Inject(ResourceViews) private readonly views: ResourceViews,
    @Inject(Births) private readonly births: Births,
    @Inject(Replacements) private readonly replacements: Replacements,
    @Inject(Removals) private readonly removals: Removals,
    @Inject(RETRY_LADDER) private readonly ladder: readonly LadderStep[],
  ) {}

  /**
   * Creates or replaces. Answers once every service sees the change, or says in `status` that it is not yet so.
   * @throws Problem `invalid_resource`, `incompatible_schema`, `partition_shared`, `conflict`, `kafka_unavailable`; StoreError
   */
  async put(address: ResourceAddress, body: unknown, actor: string): Promise<PutResult> {
    const input = parseResource(address, body, this.ladder);
    // Asked before the transaction, so that no lock is held while Kafka is slow.
    const preparation = await this.prepare(address, input);
    const { created, written } = await this.database.transaction(async (manager) => {
      await this.resources.lock(manager, address);
      const before = await this.resources.find(manager, address);
      assertPreconditions(address, input, before);
      const result = before
        ? await this.replaced(manager, before, input, preparation)
        : await this.born(manager, address, input, preparation);
      await this.writer.write(manager, {
        actor,
        action: before ? 'replace' : 'create',
        before,
        after: result.row,
        secretsChanged: result.secretsChanged,
      });
      return { created: !before, written: result };
    });
    return { created, resource: await this.answer(written.row, written.shown) };
  }

  /** @throws Problem `not_found`; StoreError */
  async get(address: ResourceAddress): Promise<ResourceView> {
    const row = await this.database.run((manager) => this.resources.find(manager, address));
    if (!row) throw notFound(address);
    const [view] = await this.views.ofRows([row]);
    return view!;
  }

  /**
   * @param namespace left out: of all namespaces
   * @throws Problem `invalid_cursor`, `malformed_request`; StoreError
   */
  async list(kind: Kind, namespace: string | undefined, page: PageRequest): Promise<ResourcePage> {
    const labels = parseLabelSelector(page.labelSelector ?? '');
    const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
    const rows = await this.database.run((manager) =>
      this.resources.list(manager, {
        kind: kind.kind,
        ...(namespace !== undefined && { namespace }),
        labels,
        // One more than asked for tells whether there is a next page.
        limit: page.limit + 1,
        ...(after !== undefined && { after }),
      }),
    );
    const shown = rows.slice(0, page.limit);
    const last = rows.length > page.limit ? shown.at(-1) : undefined;
    return {
      items: await this.views.ofRows(shown),
      ...(last && { nextCursor: encodeCursor(last.name) }),
    };
  }

  /** @throws Problem `not_found`, `namespace_not_empty`; StoreError */
  async delete(address: ResourceAddress, actor: string): Promise<ResourceView> {
    const row = await this.database.transaction(async (manager) => {
      const before = await this.lockedRow(manager, address);
      await this.removals.check(manager, before);
      await this.writer.remove(manager, before, actor);
      return before;
    });
    return this.answer(row);
  }

  /**
   * Does something with a resource that is no PUT: answered like one.
   * @param amend throws what the client is answered when the row forbids it; `undefined`: nothing is to change
   * @throws Problem `not_found`; StoreError
   */
  async amend(
    address: ResourceAddress,
    { actor, action }: Pick<ResourceChange, 'actor' | 'action'>,
    amend: (
      row: ResourceRow,
      manager: EntityManager,
    ) => Amendment | undefined | Promise<Amendment | undefined>,
  ): Promise<ResourceView> {
    const { row, shown } = await this.database.transaction(async (manager) => {
      const before = await this.lockedRow(manager, address);
      const amendment = await amend(before, manager);
      if (!amendment) return { row: before };
      const { spec, status = before.status, secrets = before.secrets, secretsChanged = [] } = amendment;
      const after = Object.assign(new ResourceRow(), before, {
        ...(spec && { spec, generation: before.generation + 1 }),
        status,
        secrets,
        updatedAt: new Date(),
      });
      await this.writer.write(manager, { actor, action, before, after, secretsChanged });
      return { row: after, shown: amendment.shown };
    });
    return this.answer(row, shown);
  }

  /** By what stands there now. Until the transaction begins that may change, which makes the preparation less, not wrong. */
  private async prepare(address: ResourceAddress, { spec }: ResourceInput): Promise<BirthPreparation> {
    const { kind } = address.kind;
    if (kind !== 'Subscription') return {};
    const before = await this.database.run((manager) => this.resources.find(manager, address));
    return this.births.prepare(kind, spec, before ? subscriptionPartsOf(before).spec : undefined);
  }

  private async lockedRow(manager: EntityManager, address: ResourceAddress): Promise<ResourceRow> {
    await this.resources.lock(manager, address);
    const row = await this.resources.find(manager, address);
    if (!row) throw notFound(address);
    return row;
  }

  /** What a change is answered with, once it is in force or known not to be. */
  private async answer(row: ResourceRow, shown?: Amendment['shown']): Promise<ResourceView> {
    const isPublished = await this.publication.settled();
    return { ...(await this.views.of(resourceOf(row), isPublished)), ...shown };
  }

  private async replaced(
    manager: EntityManager,
    before: ResourceRow,
    input: ResourceInput,
    preparation: BirthPreparation,
  ): Promise<Written> {
    const replacement = await this.replacements.of(manager, before, input, preparation);
    const { status, secrets, secretsChanged } = replacement;
    // As it is shown: that a release fills in more does not change what the client has put.
    const isSameSpec = isDeepStrictEqual(resourceOf(before).spec, input.spec);
    const row = Object.assign(new ResourceRow(), before, {
      spec: input.spec,
      status,
      secrets,
      labels: input.labels,
      annotations: input.annotations,
      generation: isSameSpec ? before.generation : before.generation + 1,
      updatedAt: new Date(),
    });
    return { row, secretsChanged };
  }

  private async born(
    manager: EntityManager,
    { kind, namespace, name }: ResourceAddress,
    input: ResourceInput,
    preparation: BirthPreparation,
  ): Promise<Written> {
    const uid = uuidv7();
    const birth = await this.births.of(kind.kind, uid, input, manager, preparation);
    const now = new Date();
    const row = Object.assign(new ResourceRow(), {
      kind: kind.kind,
      namespace,
      name,
      uid,
      labels: input.labels,
      annotations: input.annotations,
      generation: 1,
      spec: input.spec,
      status: birth.status,
      secrets: birth.secrets,
      createdAt: now,
      updatedAt: now,
    });
    return {
      row,
      secretsChanged: birth.secretsChanged ?? [],
      ...(birth.shown && { shown: birth.shown }),
    };
  }
}

export function notFound({ kind, namespace, name }: ResourceAddress): Problem {
  return new Problem('not_found', `The namespace "${namespace}" has no ${kind.kind} "${name}".`);
}

function assertPreconditions(
  address: ResourceAddress,
  { resourceVersion, uid }: ResourceInput,
  before: ResourceRow | null,
): void {
  const isStale = resourceVersion !== undefined && resourceVersion !== before?.resourceVersion;
  const isOther = uid !== undefined && uid !== before?.uid;
  if (!isStale && !isOther) return;
  const { kind, name } = address;
  throw new Problem(
    'conflict',
    before
      ? `The ${kind.kind} "${name}" has changed since you read it. Read it again, apply your change to that, and repeat.`
      : `The ${kind.kind} "${name}" was deleted since you read it. Leave out metadata.uid and metadata.resourceVersion to create it anew.`,
    before ? { resourceVersion: before.resourceVersion } : {},
  );
}
