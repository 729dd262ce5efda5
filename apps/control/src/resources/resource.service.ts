import { Inject, Injectable } from '@nestjs/common';
import {
  Problem,
  type LadderStep,
  type ResourceKind,
  type ResourcePage,
  type ResourceView,
} from '@quittance/contracts';
import { Database, ResourceRow } from '@quittance/persistence';
import { isDeepStrictEqual } from 'node:util';
import type { EntityManager } from 'typeorm';
import { uuidv7 } from 'uuidv7';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { Publication } from '../outbox/publication.js';
import { Births, type Birth } from './births.js';
import type { Kind } from './kinds.js';
import { parseLabelSelector } from './label-selector.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';
import { parseResource, type ResourceAddress, type ResourceInput } from './resource-body.js';
import { ResourceRepository } from './resource.repository.js';
import { auditViewOf, metadataOf, viewOf } from './resource-view.js';

export const RETRY_LADDER = Symbol('RETRY_LADDER');

export interface PutResult {
  created: boolean;
  resource: ResourceView;
}

export interface PageRequest {
  limit: number;
  cursor?: string;
  labelSelector?: string;
}

interface Written {
  row: ResourceRow;
  /** What the answer shows this once. */
  shown?: Birth['shown'];
  created: boolean;
}

/** Everything that may be done with a resource, whatever its kind. */
@Injectable()
export class ResourceService {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(OutboxRepository) private readonly outbox: OutboxRepository,
    @Inject(Publication) private readonly publication: Publication,
    @Inject(Births) private readonly births: Births,
    @Inject(RETRY_LADDER) private readonly ladder: readonly LadderStep[],
  ) {}

  /**
   * Creates or replaces. Answers once every service sees the change, or says in `status` that it is not yet so.
   * @throws Problem `invalid_resource`, `conflict`, `kafka_unavailable`; StoreError
   */
  async put(address: ResourceAddress, body: unknown, actor: string): Promise<PutResult> {
    const input = parseResource(address, body, this.ladder);
    // Asked before the transaction, so that no lock is held while Kafka is slow.
    const delivery = await this.births.prepare(address.kind.kind);
    const written = await this.database.transaction(async (manager) => {
      await this.resources.lock(manager, address);
      const before = await this.resources.find(manager, address);
      assertPreconditions(address, input, before);
      const result = before
        ? { row: this.replaced(before, input), created: false }
        : await this.born(manager, address, input, delivery);
      result.row.resourceVersion = await this.resources.nextVersion(manager);
      await this.resources.save(manager, result.row);
      await this.resources.note(
        manager,
        {
          actor,
          action: before ? 'replace' : 'create',
          before: before && auditViewOf(before),
          after: auditViewOf(result.row),
        },
        result.row,
      );
      await this.outbox.addPut(manager, address.kind.resource(metadataOf(result.row), result.row));
      return result;
    });
    const isPublished = await this.publication.settled();
    return {
      created: written.created,
      resource: { ...viewOf(written.row, isPublished), ...written.shown },
    };
  }

  /** @throws Problem `not_found`; StoreError */
  async get(address: ResourceAddress): Promise<ResourceView> {
    return this.database.run(async (manager) => {
      const row = await this.resources.find(manager, address);
      if (!row) throw notFound(address);
      const unpublished = await this.outbox.unpublishedAmong(manager, [row]);
      return viewOf(row, !unpublished.has(row));
    });
  }

  /** @throws Problem `invalid_cursor`, `malformed_request`; StoreError */
  async list(kind: Kind, namespace: string, page: PageRequest): Promise<ResourcePage> {
    const labels = parseLabelSelector(page.labelSelector ?? '');
    const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
    return this.database.run(async (manager) => {
      const rows = await this.resources.list(manager, {
        kind: kind.kind,
        namespace,
        labels,
        // One more than asked for tells whether there is a next page.
        limit: page.limit + 1,
        ...(after !== undefined && { after }),
      });
      const shown = rows.slice(0, page.limit);
      const unpublished = await this.outbox.unpublishedAmong(manager, shown);
      const last = rows.length > page.limit ? shown.at(-1) : undefined;
      return {
        items: shown.map((row) => viewOf(row, !unpublished.has(row))),
        ...(last && { nextCursor: encodeCursor(last.name) }),
      };
    });
  }

  /** @throws Problem `not_found`; StoreError */
  async delete(address: ResourceAddress, actor: string): Promise<ResourceView> {
    const row = await this.database.transaction(async (manager) => {
      await this.resources.lock(manager, address);
      const before = await this.resources.find(manager, address);
      if (!before) throw notFound(address);
      await this.resources.remove(manager, before);
      await this.resources.note(
        manager,
        { actor, action: 'delete', before: auditViewOf(before), after: null },
        before,
      );
      const kind: ResourceKind = address.kind.kind;
      await this.outbox.addDelete(manager, { kind, namespace: before.namespace, name: before.name });
      return before;
    });
    return viewOf(row, await this.publication.settled());
  }

  private replaced(before: ResourceRow, input: ResourceInput): ResourceRow {
    const isSameSpec = isDeepStrictEqual(before.spec, input.spec);
    return Object.assign(new ResourceRow(), before, {
      spec: input.spec,
      labels: input.labels,
      annotations: input.annotations,
      generation: isSameSpec ? before.generation : before.generation + 1,
      updatedAt: new Date(),
    });
  }

  private async born(
    manager: EntityManager,
    { kind, namespace, name }: ResourceAddress,
    input: ResourceInput,
    preparation: Awaited<ReturnType<Births['prepare']>>,
  ): Promise<Written> {
    const uid = uuidv7();
    const birth = await this.births.of(kind.kind, uid, manager, preparation);
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
    return { row, created: true, ...(birth.shown && { shown: birth.shown }) };
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
