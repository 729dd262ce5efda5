import { Inject, Injectable } from '@nestjs/common';
import type { ResourceView, SubscriptionResource } from '@quittance/contracts';
import { Database } from '@quittance/persistence';
import type { ActiveSpan } from '@quittance/telemetry';
import { kindNamed } from '../../resources/kinds.js';
import { ResourceRepository } from '../../resources/resource.repository.js';
import { notFound } from '../../resources/resource.service.js';
import { resourceOf } from '../../resources/resource-view.js';
import { ResourceViews } from '../../resources/resource-views.js';
import { HomeLag } from './home-lag.js';
import { LedgerSummary } from './ledger-summary.js';
import { SubscriptionKnowledge } from './subscription-knowledge.js';
import { wholeViewOf } from './whole-view.js';

/** A subscription with all that an operator wants to know of it. */
@Injectable()
export class SubscriptionPicture {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(ResourceRepository) private readonly resources: ResourceRepository,
    @Inject(ResourceViews) private readonly views: ResourceViews,
    @Inject(SubscriptionKnowledge) private readonly knowledge: SubscriptionKnowledge,
    @Inject(LedgerSummary) private readonly ledger: LedgerSummary,
    @Inject(HomeLag) private readonly lag: HomeLag,
  ) {}

  /**
   * What audit or Kafka do not tell in time is `null`, with a note.
   * @throws Problem `not_found`; StoreError
   */
  async of(namespace: string, name: string, span: ActiveSpan): Promise<ResourceView> {
    const address = { kind: kindNamed('Subscription'), namespace, name };
    const row = await this.database.run((manager) => this.resources.find(manager, address));
    if (!row) throw notFound(address);
    const resource = resourceOf(row) as SubscriptionResource;
    const [[view], records, summary] = await Promise.all([
      this.views.ofRows([row]),
      this.lag.of(resource.status.partition),
      this.ledger.of(resource, span),
    ]);
    const whole = wholeViewOf({
      facts: this.knowledge.of(resource),
      isComplete: this.knowledge.isComplete,
      records,
      summary,
    });
    return { ...view!, status: { ...view!.status, ...whole } };
  }
}
