import { BenchError } from './errors.ts';
import { DATA_SCHEMA, EVENT_TYPE } from './payload.ts';
import type { Target } from './target.ts';

const TIMEOUT_MS = 10_000;

/** Requests to control under way at once: each waits for every service's catalogue. */
const PARALLEL = 16;

export interface WantedSubscription {
  name: string;
  eventType: string;
  url: string;
  /** `spec.delivery` of the subscription. */
  delivery: { concurrency: number; retry?: { schedule: string[] } };
}

/** A namespace with everything that a measurement needs. */
export interface Workplace {
  namespace: string;
  publishKey: string;
  /** The home partitions of the subscriptions, in their order. */
  homes: number[];
  remove(): Promise<void>;
}

/** Creates event types, subscriptions and publish key through the control API. @throws BenchError `api_refused` */
export async function createWorkplace(
  target: Target,
  options: { namespace: string; subscriptions: readonly WantedSubscription[] },
): Promise<Workplace> {
  const { namespace, subscriptions } = options;
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
    await inParallel(created.splice(0), (path) => control('DELETE', path).catch(() => undefined));
  };
  try {
    for (const eventType of new Set(subscriptions.map((wanted) => wanted.eventType))) {
      await put(`event-types/${eventType}`, { versions: [{ version: '1', schema: DATA_SCHEMA }] });
    }
    const homes = await inParallel(subscriptions, async ({ name, eventType, url, delivery }) => {
      const { status } = await put(`subscriptions/${name}`, {
        events: [eventType],
        destination: { webhook: { url } },
        delivery,
      });
      return (status as { partition: number }).partition;
    });
    const { key } = await put('api-keys/publisher', { scopes: ['publish'] });
    if (typeof key !== 'string')
      throw new BenchError('api_refused', 'Control created a key without showing it.');
    return { namespace, publishKey: key, homes, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let first = 0; first < items.length; first += PARALLEL) {
    results.push(...(await Promise.all(items.slice(first, first + PARALLEL).map(work))));
  }
  return results;
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

/** One request with the admin key. @throws BenchError `api_refused` unless it is a 2xx */
export async function call(
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
