import {
  decodeDelivery,
  decodeOutcome,
  type DeliveryRecord,
  type Outcome,
  type OutgoingRecord,
} from '@quittance/contracts';
import type { RoutePlan } from './route-plan.js';
import { incoming, topics } from './router.fixture.js';

/** The records of deliveries that a plan has, those of strict subscriptions excepted. */
export function written(plan: RoutePlan): OutgoingRecord[] {
  return plan.records.filter((record) => record.topic === topics.deliveries);
}

export function deliveries(plan: RoutePlan): DeliveryRecord[] {
  return written(plan).map((record) => decodeDelivery(incoming(record, 0)));
}

export function outcomes(plan: RoutePlan): Outcome[] {
  return plan.records
    .filter((record) => record.topic === topics.outcomes)
    .map((record) => decodeOutcome(incoming(record, 0)));
}
