import type { Provider } from '@nestjs/common';
import type { ControlConfig } from '../config.js';
import { LedgerWatch } from './ledger-watch.js';
import { Neighbour } from './neighbour.js';
import { SampleChoice } from './sample-choice.js';
import { INGEST, SimulationService } from './simulation.service.js';
import { SubscriptionTestService } from './subscription-test.service.js';

/** What `TrialController` needs, beside what control has anyway. */
export function trialProviders({ ingestUrl, auditUrl, adminKey }: ControlConfig): Provider[] {
  return [
    SimulationService,
    SubscriptionTestService,
    SampleChoice,
    { provide: INGEST, useFactory: () => new Neighbour('ingest', ingestUrl) },
    {
      provide: LedgerWatch,
      useFactory: () => new LedgerWatch(new Neighbour('audit', auditUrl), adminKey),
    },
  ];
}
