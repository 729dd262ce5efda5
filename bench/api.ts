import { BenchError } from './errors.ts';
import { DATA_SCHEMA, EVENT_TYPE } from './payload.ts';
import type { Target } from './target.ts';

const TIMEOUT_MS = 10_000;

/** A namespace with everything that a measurement needs. */
export interface Workplace {
  namespace: string;
  publishKey: string;
  remove(): Promise<void>;
}

/** Creates event type, subscriptions and publish key through the control API. @throws BenchError `api_refused` */
export async function createWorkplace(
  target: Target,
  options: { namespace: string; endpointUrls: readonly string[]; concurrency: number },
): Promise<Workplace> {
  const { namespace, endpointUrls, concurrency } = options;
  const created: string[] = [];
  const control = (
    method: 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<Record<string, unknown>> =>
    call(target, method, `${target.controlUrl}/control/v1/namespaces/${namespace}/${path}`, body);
  const put = async (path: string, spec: object): Promise<Record<string, unknown>> => {
    created.unshift(path);
    return control('PUT', path, { spec });
  };
  const remove = async (): Promise<void> => {
    for (const path of created.splice(0)) await control('DELETE', path).catch(() => undefined);
  };
  try {
    await put(`event-types/${EVENT_TYPE}`, { versions: [{ version: '1', schema: DATA_SCHEMA }] });
    for (const [index, url] of endpointUrls.entries()) {
      await put(`subscriptions/endpoint-${index}`, {
        events: [EVENT_TYPE],
        destination: { webhook: { url } },
        delivery: { concurrency },
      });
    }
    const { key } = await put('api-keys/publisher', { scopes: ['publish'] });
    if (typeof key !== 'string')
      throw new BenchError('api_refused', 'Control created a key without showing it.');
    return { namespace, publishKey: key, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A namespace with sources under the given names. @throws BenchError `api_refused` */
export async function createInboundPlace(
  target: Target,
  sources: Record<string, { spec: object; secrets?: object }>,
): Promise<{ namespace: string; remove(): Promise<void> }> {
  const namespace = `bench-inbound-${Date.now().toString(36)}`;
  const base = `${target.controlUrl}/control/v1/namespaces/${namespace}`;
  const created: string[] = [];
  const remove = async (): Promise<void> => {
    for (const path of created.splice(0)) await call(target, 'DELETE', path).catch(() => undefined);
  };
  const put = async (path: string, body: object): Promise<void> => {
    created.unshift(`${base}/${path}`);
    await call(target, 'PUT', `${base}/${path}`, body);
  };
  try {
    await put(`event-types/${EVENT_TYPE}`, {
      spec: { versions: [{ version: '1', schema: DATA_SCHEMA }] },
    });
    for (const [name, body] of Object.entries(sources)) await put(`sources/${name}`, body);
    return { namespace, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

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
  let count = 0;
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ state: 'delivered', from: from.toISOString(), limit: '200' });
    if (cursor !== undefined) query.set('cursor', cursor);
    const url = `${target.auditUrl}/audit/v1/namespaces/${namespace}/deliveries?${query}`;
    const page = await call(target, 'GET', url);
    count += Array.isArray(page['items']) ? page['items'].length : 0;
    cursor = typeof page['nextCursor'] === 'string' ? page['nextCursor'] : undefined;
  } while (cursor !== undefined);
  return count;
}

async function call(
  { adminKey }: Target,
  method: 'GET' | 'PUT' | 'DELETE',
  url: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new BenchError(
      'api_refused',
      `${method} ${url} was answered with ${response.status}: ${text.slice(0, 500)}`,
    );
  }
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
