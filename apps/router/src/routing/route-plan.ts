import type { CompiledSubscription } from '@quittance/catalog';
import type { OutgoingRecord, TraceContext } from '@quittance/contracts';
import type { EventFacts } from './burial.js';

/** Everything that follows from an event. */
export interface RoutePlan {
  /** The `routed` outcomes are the last. */
  records: OutgoingRecord[];
  /** Deliveries of strict subscriptions: not among `records`, because each waits for those before it. */
  strict: StrictDelivery[];
  readonly facts: EventFacts;
  written: number;
  dead: number;
  readonly held: number;
  readonly skipped: number;
}

export interface StrictDelivery {
  readonly subscription: CompiledSubscription;
  readonly deliveryId: string;
  readonly record: OutgoingRecord;
}

/** The span under which the event is routed: subscribers' attempts become its children. */
export interface RouteSpan {
  readonly traceId: string;
  readonly context: TraceContext;
}
