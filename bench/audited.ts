import { call } from './api.ts';
import { BenchError } from './errors.ts';
import type { Target } from './target.ts';

/** Asks audit for an event's story. @returns whether it holds `endpoints` deliveries that are all delivered */
export async function isRecorded(
  target: Target,
  namespace: string,
  id: string,
  endpoints: number,
): Promise<boolean> {
  const url = `${target.auditUrl}/audit/v1/namespaces/${namespace}/events/${id}`;
  let story: Record<string, unknown>;
  try {
    story = await call(target, 'GET', url);
  } catch (error) {
    // Not recorded yet, or audit is too busy to answer: both mean "ask again".
    if (error instanceof BenchError || (error instanceof Error && error.name === 'TimeoutError'))
      return false;
    throw error;
  }
  const deliveries = Array.isArray(story['deliveries']) ? (story['deliveries'] as { state?: unknown }[]) : [];
  return deliveries.length === endpoints && deliveries.every(({ state }) => state === 'delivered');
}

/** Counts the delivered deliveries of a namespace that audit lists from a time on. @throws BenchError `api_refused` */
export async function countDelivered(target: Target, namespace: string, from: Date): Promise<number> {
  const states = await tallyDeliveries(target, namespace, { from, state: 'delivered' });
  return states['delivered'] ?? 0;
}

/** How many deliveries of a namespace audit lists, by state. @throws BenchError `api_refused` */
export async function tallyDeliveries(
  target: Target,
  namespace: string,
  filter: { from: Date; state?: string; subscription?: string },
): Promise<Record<string, number>> {
  const { from, ...equal } = filter;
  const states: Record<string, number> = {};
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ ...equal, from: from.toISOString(), limit: '200' });
    if (cursor !== undefined) query.set('cursor', cursor);
    const url = `${target.auditUrl}/audit/v1/namespaces/${namespace}/deliveries?${query}`;
    const page = await call(target, 'GET', url);
    const items = Array.isArray(page['items']) ? (page['items'] as { state: string }[]) : [];
    for (const { state } of items) states[state] = (states[state] ?? 0) + 1;
    cursor = typeof page['nextCursor'] === 'string' ? page['nextCursor'] : undefined;
  } while (cursor !== undefined);
  return states;
}
