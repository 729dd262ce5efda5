import type { QueryConfig } from 'pg';
import {
  boolColumn,
  byteaColumn,
  int4Column,
  int8Column,
  jsonColumn,
  textColumn,
  timestamptzColumn,
} from './array-parameter.js';
import {
  NEWS_BITS,
  packedNews,
  type AttemptRow,
  type DeliveryRow,
  type DuplicateRow,
  type EventRow,
  type KeyUsageRow,
  type LedgerRows,
  type RejectionRow,
} from './rows.js';

type Encode<R> = (rows: readonly R[]) => Buffer;

/** A table's columns, in the order of the parameters: name, array type, and how the rows' values are encoded. */
type Columns<R> = readonly (readonly [name: string, type: string, encode: Encode<R>])[];

const text = <R>(pick: (row: R) => string | null): [string, Encode<R>] => [
  'text[]',
  (rows) => textColumn(rows, pick),
];
const json = <R>(pick: (row: R) => string | null): [string, Encode<R>] => [
  'json[]',
  (rows) => jsonColumn(rows, pick),
];
const bytea = <R>(pick: (row: R) => Buffer | null): [string, Encode<R>] => [
  'bytea[]',
  (rows) => byteaColumn(rows, pick),
];
const int4 = <R>(pick: (row: R) => number | null): [string, Encode<R>] => [
  'int4[]',
  (rows) => int4Column(rows, pick),
];
const int8 = <R>(pick: (row: R) => bigint | null): [string, Encode<R>] => [
  'int8[]',
  (rows) => int8Column(rows, pick),
];
const bool = <R>(pick: (row: R) => boolean | null): [string, Encode<R>] => [
  'bool[]',
  (rows) => boolColumn(rows, pick),
];
const time = <R>(pick: (row: R) => number | null): [string, Encode<R>] => [
  'timestamptz[]',
  (rows) => timestamptzColumn(rows, pick),
];

const ACCEPTANCE: Columns<EventRow> = [
  ['accepted_at', ...time<EventRow>((row) => row.acceptance?.acceptedAt ?? null)],
  ['log_position', ...int8<EventRow>((row) => row.acceptance?.position ?? null)],
  ['revision', ...int8<EventRow>((row) => (row.acceptance ? BigInt(row.acceptance.revision) : null))],
  ['type', ...text<EventRow>((row) => row.acceptance?.type ?? null)],
  ['subject', ...text<EventRow>((row) => row.acceptance?.subject ?? null)],
  ['time', ...text<EventRow>((row) => row.acceptance?.time ?? null)],
  ['data_schema', ...text<EventRow>((row) => row.acceptance?.dataSchema ?? null)],
  ['content_type', ...text<EventRow>((row) => row.acceptance?.contentType ?? null)],
  ['extensions', ...json<EventRow>((row) => row.acceptance?.extensions ?? null)],
  ['traceparent', ...text<EventRow>((row) => row.acceptance?.traceparent ?? null)],
  ['data', ...bytea<EventRow>((row) => row.acceptance?.data ?? null)],
  ['test_subscription_uid', ...text<EventRow>((row) => row.acceptance?.testSubscriptionUid ?? null)],
];

const ROUTING: Columns<EventRow> = [
  ['routed_at', ...time<EventRow>((row) => row.routing?.at ?? null)],
  ['routed_revision', ...int8<EventRow>((row) => (row.routing ? BigInt(row.routing.revision) : null))],
  ['skipped', ...json<EventRow>((row) => row.routing?.skipped ?? null)],
  ['skipped_count', ...int4<EventRow>((row) => row.routing?.skippedCount ?? null)],
];

const EVENTS: Columns<EventRow> = [
  ['namespace', ...text<EventRow>((row) => row.namespace)],
  ['id', ...text<EventRow>((row) => row.id)],
  ['source', ...text<EventRow>((row) => row.source)],
  ...ACCEPTANCE,
  ...ROUTING,
];

const DELIVERIES: Columns<DeliveryRow> = [
  ['id', ...text<DeliveryRow>((row) => row.id)],
  ['namespace', ...text<DeliveryRow>((row) => row.namespace)],
  ['event_id', ...text<DeliveryRow>((row) => row.eventId)],
  ['event_source', ...text<DeliveryRow>((row) => row.eventSource)],
  ['subscription', ...text<DeliveryRow>((row) => row.subscription)],
  ['subscription_uid', ...text<DeliveryRow>((row) => row.subscriptionUid)],
  ['created_at', ...time<DeliveryRow>((row) => row.createdAt)],
  ['delivered_at', ...time<DeliveryRow>((row) => row.deliveredAt)],
  ['news', ...int8<DeliveryRow>((row) => packedNews(row.news))],
  ['next_attempt_at', ...time<DeliveryRow>((row) => row.nextAttemptAt)],
  ['error_code', ...text<DeliveryRow>((row) => row.errorCode)],
  ['error_message', ...text<DeliveryRow>((row) => row.errorMessage)],
];

const ATTEMPTS: Columns<AttemptRow> = [
  ['delivery_id', ...text<AttemptRow>((row) => row.deliveryId)],
  ['attempt_id', ...text<AttemptRow>((row) => row.attemptId)],
  ['number', ...int4<AttemptRow>((row) => row.number)],
  ['at', ...time<AttemptRow>((row) => row.at)],
  ['status', ...int4<AttemptRow>((row) => row.status)],
  ['duration_ms', ...int4<AttemptRow>((row) => row.durationMs)],
  ['error_code', ...text<AttemptRow>((row) => row.errorCode)],
  ['error_message', ...text<AttemptRow>((row) => row.errorMessage)],
  ['response', ...text<AttemptRow>((row) => row.response)],
];

const DUPLICATES: Columns<DuplicateRow> = [
  ['namespace', ...text<DuplicateRow>((row) => row.namespace)],
  ['event_id', ...text<DuplicateRow>((row) => row.eventId)],
  ['event_source', ...text<DuplicateRow>((row) => row.eventSource)],
  ['mark', ...text<DuplicateRow>((row) => row.mark)],
  ['at', ...time<DuplicateRow>((row) => row.at)],
  ['conflict', ...bool<DuplicateRow>((row) => row.conflict)],
];

const REJECTIONS: Columns<RejectionRow> = [
  ['id', ...text<RejectionRow>((row) => row.id)],
  ['namespace', ...text<RejectionRow>((row) => row.namespace)],
  ['at', ...time<RejectionRow>((row) => row.at)],
  ['source', ...text<RejectionRow>((row) => row.source)],
  ['api_key', ...text<RejectionRow>((row) => row.apiKey)],
  ['method', ...text<RejectionRow>((row) => row.method)],
  ['path', ...text<RejectionRow>((row) => row.path)],
  ['address', ...text<RejectionRow>((row) => row.address)],
  ['user_agent', ...text<RejectionRow>((row) => row.userAgent)],
  ['content_type', ...text<RejectionRow>((row) => row.contentType)],
  ['status', ...int4<RejectionRow>((row) => row.status)],
  ['code', ...text<RejectionRow>((row) => row.code)],
  ['reason', ...text<RejectionRow>((row) => row.reason)],
  ['errors', ...json<RejectionRow>((row) => row.errors)],
  ['trace_id', ...text<RejectionRow>((row) => row.traceId)],
  ['body_bytes', ...int4<RejectionRow>((row) => row.bodyBytes)],
  ['body', ...bytea<RejectionRow>((row) => row.body)],
  ['suppressed', ...int4<RejectionRow>((row) => row.suppressed)],
];

const KEY_USAGE: Columns<KeyUsageRow> = [
  ['uid', ...text<KeyUsageRow>((row) => row.uid)],
  ['credential_id', ...text<KeyUsageRow>((row) => row.credentialId)],
  ['namespace', ...text<KeyUsageRow>((row) => row.namespace)],
  ['name', ...text<KeyUsageRow>((row) => row.name)],
  ['last_used_at', ...time<KeyUsageRow>((row) => row.lastUsedAt)],
];

function insert<R>(table: string, columns: Columns<R>, onConflict: string): string {
  const names = columns.map(([name]) => name).join(', ');
  const parameters = columns.map(([, type], index) => `$${index + 1}::${type}`).join(', ');
  return `INSERT INTO audit.${table} AS old (${names}) SELECT * FROM unnest(${parameters}) ${onConflict}`;
}

const takeIf =
  (condition: string) =>
  ([name]: readonly [string, ...unknown[]]) =>
    `${name} = CASE WHEN ${condition} THEN excluded.${name} ELSE old.${name} END`;

/** The merges of `fold.ts` in SQL. */
const ACCEPTED_EARLIER = `(excluded.accepted_at IS NOT NULL AND (old.accepted_at IS NULL
  OR (excluded.accepted_at, excluded.log_position) < (old.accepted_at, old.log_position)))`;
const ROUTED_LATER = `(excluded.routed_at IS NOT NULL AND (old.routed_at IS NULL
  OR (excluded.routed_at, excluded.routed_revision) > (old.routed_at, old.routed_revision)))`;
const UPSERT_EVENTS = insert(
  'events',
  EVENTS,
  `ON CONFLICT (namespace, id, source) DO UPDATE SET
     ${[...ACCEPTANCE.map(takeIf(ACCEPTED_EARLIER)), ...ROUTING.map(takeIf(ROUTED_LATER))].join(', ')}
   WHERE ${ACCEPTED_EARLIER} OR ${ROUTED_LATER}`,
);

const ofNewest = (name: string) => `${name} = CASE
  WHEN excluded.news > old.news THEN excluded.${name}
  WHEN excluded.news < old.news THEN old.${name}
  ELSE greatest(excluded.${name}, old.${name}) END`;
const UPSERT_DELIVERIES = insert(
  'deliveries',
  DELIVERIES,
  `ON CONFLICT (id) DO UPDATE SET
     created_at = least(excluded.created_at, old.created_at),
     delivered_at = least(excluded.delivered_at, old.delivered_at),
     news = greatest(excluded.news, old.news),
     ${['next_attempt_at', 'error_code', 'error_message'].map(ofNewest).join(', ')}
   WHERE excluded.created_at < old.created_at
      OR excluded.delivered_at < coalesce(old.delivered_at, 'infinity')
      OR (excluded.news >= old.news AND excluded.news >> ${NEWS_BITS} > 0)`,
);

/** An attempt has one outcome: a second record of it is the same record. */
const INSERT_ATTEMPTS = insert('attempts', ATTEMPTS, `ON CONFLICT DO NOTHING`);
const UPSERT_DUPLICATES = insert(
  'duplicates',
  DUPLICATES,
  `ON CONFLICT (namespace, event_id, event_source, mark) DO UPDATE SET
     at = least(excluded.at, old.at), conflict = excluded.conflict OR old.conflict`,
);

/** A refusal has one record, too. */
const INSERT_REJECTIONS = insert('rejections', REJECTIONS, `ON CONFLICT DO NOTHING`);
const UPSERT_KEY_USAGE = insert(
  'key_usage',
  KEY_USAGE,
  `ON CONFLICT (uid, credential_id) DO UPDATE SET
     last_used_at = excluded.last_used_at, namespace = excluded.namespace, name = excluded.name
   WHERE (excluded.last_used_at, excluded.namespace, excluded.name) > (old.last_used_at, old.namespace, old.name)`,
);

/**
 * The statements that bring a flush's rows into the ledger, one per table that has any. Rows are sorted by
 * key, so that two instances with rows in common wait for each other instead of deadlocking.
 * @throws StoreError `store_rejected` when a value does not fit its column
 */
export function statementsFor(rows: LedgerRows): QueryConfig[] {
  return [
    ...statement('audit-events', UPSERT_EVENTS, EVENTS, rows.events),
    ...statement('audit-deliveries', UPSERT_DELIVERIES, DELIVERIES, rows.deliveries),
    ...statement('audit-attempts', INSERT_ATTEMPTS, ATTEMPTS, rows.attempts),
    ...statement('audit-duplicates', UPSERT_DUPLICATES, DUPLICATES, rows.duplicates),
    ...statement('audit-rejections', INSERT_REJECTIONS, REJECTIONS, rows.rejections),
    ...statement('audit-key-usage', UPSERT_KEY_USAGE, KEY_USAGE, rows.keyUsage),
  ];
}

function* statement<R>(
  name: string,
  sql: string,
  columns: Columns<R>,
  rows: ReadonlyMap<string, R>,
): Generator<QueryConfig> {
  if (rows.size === 0) return;
  const sorted = [...rows.keys()].sort().map((key) => rows.get(key)!);
  // Named: each connection parses and plans it once.
  yield { name, text: sql, values: columns.map(([, , encode]) => encode(sorted)) };
}
