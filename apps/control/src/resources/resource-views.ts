import { Inject, Injectable } from '@nestjs/common';
import { Catalogue } from '@quittance/catalog';
import type { Resource, ResourceView } from '@quittance/contracts';
import { Database, type ResourceRow } from '@quittance/persistence';
import type { KeyFacts } from '../keys/key-status.js';
import { LastUse } from '../keys/last-use.js';
import { OutboxRepository } from '../outbox/outbox.repository.js';
import { SubscriptionKnowledge } from '../subscriptions/view/subscription-knowledge.js';
import { resourceOf, viewOf, type ViewFacts } from './resource-view.js';

/** Resources as clients see them, with what is known of them beside their rows. */
@Injectable()
export class ResourceViews {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(OutboxRepository) private readonly outbox: OutboxRepository,
    @Inject(LastUse) private readonly lastUse: LastUse,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(SubscriptionKnowledge) private readonly subscriptions: SubscriptionKnowledge,
  ) {}

  /**
   * Of rows that were read; as many queries for a page as for one.
   * @throws StoreError
   */
  async ofRows(rows: readonly ResourceRow[]): Promise<ResourceView[]> {
    const unpublished = await this.database.run((manager) => this.outbox.unpublishedAmong(manager, rows));
    return this.views(rows.map((row) => ({ resource: resourceOf(row), isPublished: !unpublished.has(row) })));
  }

  /** Of a resource whose publication the caller knows about. */
  async of(resource: Resource, isPublished: boolean): Promise<ResourceView> {
    const [view] = await this.views([{ resource, isPublished }]);
    return view!;
  }

  /** Of a published resource, as far as it is known without the database. */
  withoutDatabase(resource: Resource): ResourceView {
    return viewOf(resource, true, this.factsWith(new Map()));
  }

  private async views(
    shown: readonly { resource: Resource; isPublished: boolean }[],
  ): Promise<ResourceView[]> {
    const keys = shown.flatMap(({ resource }) => (resource.kind === 'ApiKey' ? [resource] : []));
    const facts = this.factsWith(await this.lastUse.of(keys));
    return shown.map(({ resource, isPublished }) => viewOf(resource, isPublished, facts));
  }

  private factsWith(lastUsed: KeyFacts['lastUsed']): ViewFacts {
    const standing = this.catalogue.revocations();
    return {
      keys: { lastUsed, revoked: new Map(standing.map(({ uid, revokedAt }) => [uid, revokedAt])) },
      subscription: (resource) => this.subscriptions.of(resource),
    };
  }
}
