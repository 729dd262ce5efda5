import type { DeliveryRow, EventAcceptance, EventRouting } from './rows.js';
import { compareBytes } from './text.js';

/** Of several acceptances of one identity the first stands; the log breaks a tie. */
export function earlier(a: EventAcceptance | null, b: EventAcceptance): EventAcceptance {
  if (a === null) return b;
  if (a.acceptedAt !== b.acceptedAt) return a.acceptedAt < b.acceptedAt ? a : b;
  return a.position <= b.position ? a : b;
}

/** Of several routings (the router was killed and read the event again) the last stands. Same revision, same result. */
export function newer(a: EventRouting | null, b: EventRouting): EventRouting {
  if (a === null) return b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return a.revision >= b.revision ? a : b;
}

/** The first records about it, and the newest news. */
export function mergeDeliveries(a: DeliveryRow, b: DeliveryRow): DeliveryRow {
  const order = a.news.at - b.news.at || a.news.kind - b.news.kind;
  const [first, second] = order >= 0 ? [a, b] : [b, a];
  const isTie = order === 0;
  return {
    ...first,
    createdAt: Math.min(a.createdAt, b.createdAt),
    deliveredAt: least(a.deliveredAt, b.deliveredAt),
    nextAttemptAt: isTie ? greatest(first.nextAttemptAt, second.nextAttemptAt) : first.nextAttemptAt,
    errorCode: isTie ? last(first.errorCode, second.errorCode) : first.errorCode,
    errorMessage: isTie ? last(first.errorMessage, second.errorMessage) : first.errorMessage,
  };
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function greatest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

function last(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareBytes(a, b) >= 0 ? a : b;
}
