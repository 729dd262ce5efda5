import { Module, type DynamicModule } from '@nestjs/common';
import { catalogueModule, consumerProvider, kafkaModule, subscriptionStatesModule } from '@quittance/service';
import type { RouterConfig } from './config.js';
import { IdentityWindow } from './duplicates/identity-window.js';
import { CatalogueGate } from './events/catalogue-gate.js';
import { EventRouter } from './events/event-router.js';
import { EventsController } from './events/events.controller.js';
import { RouterMetrics } from './events/router-metrics.js';
import { StrictLanes } from './ordering/strict-lanes.js';
import { Turnstile } from './ordering/turnstile.js';
import { Homes } from './routing/homes.js';
import { RoutePlanner } from './routing/route-planner.js';

/** Takes every accepted event and writes one delivery for each subscription that wants it. */
@Module({})
export class RouterModule {
  static of(config: RouterConfig): DynamicModule {
    return {
      module: RouterModule,
      imports: [
        kafkaModule(config, { clientId: 'quittance-router' }),
        catalogueModule(config, { compileSchemas: false }),
        subscriptionStatesModule(),
      ],
      controllers: [EventsController],
      providers: [
        EventRouter,
        CatalogueGate,
        RoutePlanner,
        Homes,
        Turnstile,
        StrictLanes,
        RouterMetrics,
        { provide: IdentityWindow, useFactory: () => new IdentityWindow() },
        consumerProvider(config, (topics) => [
          { groupId: topics.group('router'), sources: [{ pattern: 'events', topics: [topics.events] }] },
        ]),
      ],
    };
  }
}
