import { truncateUtf8, type KeyUsedOutcome, type RejectedOutcome } from '@quittance/contracts';
import type { KeyUsageRow, LedgerRows } from './rows.js';
import { compareBytes, reason, storable, storableOrNull } from './text.js';

/** What is kept of a refused request's body; ingest sends no more. */
export const MAX_KEPT_BODY_BYTES = 64 * 1024;
/** Longer than anything that is not an attack. */
const MAX_TEXT_BYTES = 2048;
/** Postgres' integer. A client may announce a body of any size. */
const MAX_COUNT = 2_147_483_647;

/** A refusal has one record: a second one of the same id is the same record. */
export function foldRejected(rows: LedgerRows, outcome: RejectedOutcome): void {
  const id = storable(outcome.id);
  rows.rejections.set(id, {
    id,
    namespace: storable(outcome.namespace),
    at: outcome.at,
    source: storableOrNull(outcome.source),
    apiKey: storableOrNull(outcome.apiKey),
    method: bounded(outcome.method),
    path: bounded(outcome.path),
    address: bounded(outcome.address),
    userAgent: outcome.userAgent === undefined ? null : bounded(outcome.userAgent),
    contentType: outcome.contentType === undefined ? null : bounded(outcome.contentType),
    status: outcome.status,
    code: storable(outcome.code),
    reason: reason(outcome.reason),
    errors: errorsJson(outcome.errors),
    traceId: storableOrNull(outcome.traceId),
    bodyBytes: Math.min(outcome.bodyBytes, MAX_COUNT),
    body:
      outcome.body === undefined
        ? null
        : Buffer.from(outcome.body, 'base64').subarray(0, MAX_KEPT_BODY_BYTES),
    suppressed: Math.min(outcome.suppressed, MAX_COUNT),
  });
}

/** Of all uses of a credential the last one stands. */
export function foldKeyUsed(rows: LedgerRows, outcome: KeyUsedOutcome): void {
  const row: KeyUsageRow = {
    uid: storable(outcome.uid),
    credentialId: storable(outcome.credentialId),
    namespace: storable(outcome.namespace),
    name: storable(outcome.name),
    lastUsedAt: outcome.at,
  };
  const key = `${row.uid}\0${row.credentialId}`;
  const known = rows.keyUsage.get(key);
  if (known === undefined || compareUses(row, known) > 0) rows.keyUsage.set(key, row);
}

/** A key keeps its namespace and name for life; that they decide a tie makes the merge one that order cannot change. */
function compareUses(a: KeyUsageRow, b: KeyUsageRow): number {
  return (
    a.lastUsedAt - b.lastUsedAt || compareBytes(a.namespace, b.namespace) || compareBytes(a.name, b.name)
  );
}

function bounded(text: string): string {
  return truncateUtf8(storable(text), MAX_TEXT_BYTES);
}

function errorsJson(errors: RejectedOutcome['errors']): string | null {
  if (errors === undefined || errors.length === 0) return null;
  return JSON.stringify(
    errors.map(({ path, message }) => ({ path: bounded(path), message: reason(message) })),
  );
}
