import { Injectable } from '@nestjs/common';
import { Metrics } from '@quittance/service';
import type { RoutePlan } from '../routing/route-plan.js';

/** What the router counts. */
@Injectable()
export class RouterMetrics {
  private readonly events;
  private readonly deliveries;

  constructor(metrics: Metrics) {
    this.events = metrics.counter(
      'quittance_router_events_total',
      'Events by what the router made of them: routed, unmatched, duplicate, conflict, repeated.',
      ['outcome'],
    );
    this.deliveries = metrics.counter(
      'quittance_router_deliveries_total',
      'Subscriptions that wanted an event, by what became of it: written, held, dead, skipped.',
      ['outcome'],
    );
  }

  event(outcome: 'routed' | 'unmatched' | 'duplicate' | 'conflict' | 'repeated'): void {
    this.events.inc({ outcome });
  }

  routed({ written, held, dead, skipped }: Pick<RoutePlan, 'written' | 'held' | 'dead' | 'skipped'>): void {
    this.event(written + held + dead > 0 ? 'routed' : 'unmatched');
    if (written > 0) this.deliveries.inc({ outcome: 'written' }, written);
    if (held > 0) this.deliveries.inc({ outcome: 'held' }, held);
    if (dead > 0) this.deliveries.inc({ outcome: 'dead' }, dead);
    if (skipped > 0) this.deliveries.inc({ outcome: 'skipped' }, skipped);
  }
}
