/** What `events.v1` says of an event. */
export interface EventAcceptance {
  acceptedAt: number;
  /** See `logPosition`. */
  position: bigint;
  revision: number;
  type: string;
  subject: string | null;
  time: string | null;
  dataSchema: string | null;
  contentType: string | null;
  /** JSON. */
  extensions: string | null;
  traceparent: string | null;
  data: Buffer | null;
  /** Of the subscription that it is a sample for. */
  testSubscriptionUid: string | null;
}

/** What a `routed` outcome says of an event. */
export interface EventRouting {
  at: number;
  revision: number;
  /** JSON; `null` when there are none. */
  skipped: string | null;
  skippedCount: number;
}

export interface EventRow {
  namespace: string;
  id: string;
  source: string;
  acceptance: EventAcceptance | null;
  routing: EventRouting | null;
}

/** Of an event, in maps. */
export function eventKey(namespace: string, id: string, source: string): string {
  return `${namespace}\0${id}\0${source}`;
}

/** The kinds of news about a delivery, rising: of two at the same time the higher one stands. */
export const NEWS = { routed: 0, replayed: 1, attempted: 2, held: 3, dead: 4 } as const;
export type NewsKind = (typeof NEWS)[keyof typeof NEWS];

/** In the ledger's column `news` the kind stands below the time. */
export const NEWS_BITS = 3;

/** As the column has it: greater is newer. */
export function packedNews({ at, kind }: DeliveryRow['news']): bigint {
  return (BigInt(at) << BigInt(NEWS_BITS)) | BigInt(kind);
}

export interface DeliveryRow {
  id: string;
  namespace: string;
  eventId: string;
  eventSource: string;
  subscription: string;
  subscriptionUid: string;
  createdAt: number;
  /** Once set, the delivery counts as delivered for good. */
  deliveredAt: number | null;
  news: { at: number; kind: NewsKind };
  nextAttemptAt: number | null;
  /** Why it was given up, or is held. */
  errorCode: string | null;
  errorMessage: string | null;
}

export interface AttemptRow {
  deliveryId: string;
  attemptId: string;
  number: number;
  at: number;
  status: number | null;
  durationMs: number | null;
  errorCode: string | null;
  errorMessage: string | null;
  response: string | null;
}

export interface DuplicateRow {
  namespace: string;
  eventId: string;
  eventSource: string;
  mark: string;
  at: number;
  conflict: boolean;
}

export interface RejectionRow {
  id: string;
  namespace: string;
  at: number;
  source: string | null;
  apiKey: string | null;
  method: string;
  path: string;
  address: string;
  userAgent: string | null;
  contentType: string | null;
  status: number;
  code: string;
  reason: string;
  /** JSON; `null` when there are none. */
  errors: string | null;
  traceId: string | null;
  bodyBytes: number;
  body: Buffer | null;
  suppressed: number;
}

export interface KeyUsageRow {
  uid: string;
  credentialId: string;
  namespace: string;
  name: string;
  lastUsedAt: number;
}

/** The rows of one flush, one per key. All times are epoch milliseconds. */
export interface LedgerRows {
  events: Map<string, EventRow>;
  deliveries: Map<string, DeliveryRow>;
  attempts: Map<string, AttemptRow>;
  duplicates: Map<string, DuplicateRow>;
  rejections: Map<string, RejectionRow>;
  keyUsage: Map<string, KeyUsageRow>;
}
