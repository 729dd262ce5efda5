import { Injectable } from '@nestjs/common';
import { Metrics } from '@quittance/service';

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
      'Subscriptions that wanted an event, by what became of it: written, dead, skipped.',
      ['outcome'],
    );
  }

  event(outcome: 'routed' | 'unmatched' | 'duplicate' | 'conflict' | 'repeated'): void {
    this.events.inc({ outcome });
  }

  routed(counts: { written: number; dead: number; skipped: number }): void {
    this.event(counts.written + counts.dead > 0 ? 'routed' : 'unmatched');
    if (counts.written > 0) this.deliveries.inc({ outcome: 'written' }, counts.written);
    if (counts.dead > 0) this.deliveries.inc({ outcome: 'dead' }, counts.dead);
    if (counts.skipped > 0) this.deliveries.inc({ outcome: 'skipped' }, counts.skipped);
  }
}
