import type { DeliveryState, LedgerDelivery } from '@quittance/persistence';

/** Times are RFC 3339 in UTC, with milliseconds. */
export interface Page<T> {
  items: T[];
  /** Give it back as `cursor` for the next page; missing on the last one. */
  nextCursor?: string;
}

export interface Failure {
  /** Stable, for programs. */
  code: string;
  message: string;
}

export interface EventSummary {
  id: string;
  source: string;
  type: string;
  subject: string | null;
  acceptedAt: string;
  traceId: string | null;
  /** Missing while the router has not recorded it. */
  routedAt: string | null;
}

export interface DeliveryFacts {
  id: string;
  subscription: string;
  state: DeliveryState;
  createdAt: string;
  deliveredAt?: string;
  /** Only of a pending delivery that has failed before. */
  nextAttemptAt?: string;
  /** Why it was given up; `null` unless it is dead. */
  error: Failure | null;
}

export interface DeliverySummary extends DeliveryFacts {
  event: { id: string; source: string; type: string | null };
  attemptCount: number;
}

export interface AttemptView {
  id: string;
  /** From 1; begins anew when a delivery is retried by hand. */
  number: number;
  at: string;
  /** The answer's HTTP status; `null` when there was none. */
  status: number | null;
  durationMs: number | null;
  error: Failure | null;
  /** The start of the answer's body. */
  response: string | null;
}

export interface DeliveryStory extends DeliveryFacts {
  /** In the order in which they were made; the last 100. */
  attempts: AttemptView[];
  /** Retries that were asked for by hand. */
  retries: { at: string; by: string }[];
}

/** Everything that is known of an event. What its own record tells is null until that record has arrived. */
export interface EventStoryView {
  id: string;
  source: string;
  type: string | null;
  subject: string | null;
  /** As the publisher wrote it. */
  time: string | null;
  contentType: string | null;
  acceptedAt: string | null;
  traceId: string | null;
  routedAt: string | null;
  /** Subscriptions that wanted the type, yet got nothing; at most 100 are listed. */
  skipped: { subscription: string; code: string; reason: string }[];
  skippedCount: number;
  /** In order of creation; the first 500, the others by `…/deliveries?event=`. */
  deliveries: DeliveryStory[];
  /** How often the same event came again without being delivered again. */
  duplicates: number;
  /** Of these, how often with another body. */
  conflicts: number;
  /** The data, where they are JSON. */
  data?: unknown;
  /** The data, where they are anything else. */
  dataBase64?: string;
}

type Facts = Pick<
  LedgerDelivery,
  | 'id'
  | 'subscription'
  | 'state'
  | 'createdAt'
  | 'deliveredAt'
  | 'nextAttemptAt'
  | 'errorCode'
  | 'errorMessage'
>;

export function deliveryFacts(row: Facts): DeliveryFacts {
  const { state } = row;
  return {
    id: row.id,
    subscription: row.subscription,
    state,
    createdAt: row.createdAt.toISOString(),
    ...(row.deliveredAt && { deliveredAt: row.deliveredAt.toISOString() }),
    ...(state === 'pending' && row.nextAttemptAt && { nextAttemptAt: row.nextAttemptAt.toISOString() }),
    error: state === 'dead' ? failure(row.errorCode, row.errorMessage) : null,
  };
}

export function failure(code: string | null, message: string | null): Failure | null {
  return code === null ? null : { code, message: message ?? '' };
}
