import type { Provider } from '@nestjs/common';
import { Topics } from '@quittance/contracts';
import { KafkaAdmin } from '@quittance/kafka';
import type { ControlConfig } from '../../config.js';
import { Neighbour } from '../../trials/neighbour.js';
import { HomeLag } from './home-lag.js';
import { LedgerSummary } from './ledger-summary.js';
import { HOLDS, SubscriptionKnowledge, type Holds } from './subscription-knowledge.js';
import { SubscriptionPicture } from './subscription-picture.service.js';

/** What `SubscriptionViewController` needs, beside what control has anyway. */
export function viewProviders(config: ControlConfig): Provider[] {
  const { auditUrl, adminKey, holdShared, holdExclusive } = config;
  const holds: Holds = { sharedMs: holdShared, exclusiveMs: holdExclusive };
  return [
    { provide: HOLDS, useValue: holds },
    SubscriptionKnowledge,
    SubscriptionPicture,
    {
      provide: LedgerSummary,
      useFactory: () => new LedgerSummary(new Neighbour('audit', auditUrl), adminKey),
    },
    {
      provide: HomeLag,
      inject: [KafkaAdmin, Topics],
      useFactory: (admin: KafkaAdmin, topics: Topics) =>
        new HomeLag((partition) => admin.lag(topics.group('dispatcher'), topics.deliveries, partition)),
    },
  ];
}
