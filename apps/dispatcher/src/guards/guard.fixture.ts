import type { CompiledSubscription } from '@quittance/catalog';
import {
  API_VERSION,
  DEFAULT_LADDER,
  subscriptionSpec,
  type DeliveryRecord,
  type SubscriptionState,
} from '@quittance/contracts';
import { vi } from 'vitest';
import type { Admission, Ending, Turn } from './admission.js';
import { Guard, type GuardSettings } from './guard.js';
import { Learnt } from './learnt.js';

export const SETTINGS: GuardSettings = {
  breaker: { failures: 3, firstPauseMs: 1000, longestPauseMs: 8000 },
  disableAfterMs: 3_600_000,
  holdSharedMs: 60_000,
  holdExclusiveMs: 600_000,
};

type Delivery = Partial<{
  concurrency: number;
  rateLimit: { rate: number };
  ordering: 'none' | 'strict';
  whenExhausted: 'halt' | 'skip';
}>;

export interface SubscriptionFacts {
  delivery?: Delivery;
  paused?: boolean;
  url?: string;
  activation?: number;
  /** When its resource was changed last. */
  updatedAt?: number;
}

export function subscriptionWith(facts: SubscriptionFacts = {}): CompiledSubscription {
  const spec = subscriptionSpec.parse({
    events: ['*'],
    destination: { webhook: { url: facts.url ?? 'http://127.0.0.1:9/' } },
    delivery: facts.delivery ?? {},
    paused: facts.paused ?? false,
  });
  const at = new Date(facts.updatedAt ?? Date.now()).toISOString();
  return {
    name: 'billing',
    resource: {
      apiVersion: API_VERSION,
      kind: 'Subscription',
      metadata: {
        name: 'billing',
        namespace: 'shop',
        uid: 'uid-1',
        labels: {},
        annotations: {},
        generation: 1,
        resourceVersion: '1',
        createdAt: at,
        updatedAt: at,
      },
      spec,
      status: { state: 'active', partition: 3, activation: facts.activation ?? 1 },
      secrets: { signing: ['sealed'], former: [], formerAsymmetric: [] },
    },
    schedule: DEFAULT_LADDER,
    timeoutMs: 15_000,
    holdMs: undefined,
    hasFilter: false,
    filter: () => ({ matched: true }),
  };
}

export function delivery(id: string, more: Partial<DeliveryRecord> = {}): DeliveryRecord {
  return {
    deliveryId: id,
    namespace: 'shop',
    subscription: 'billing',
    subscriptionUid: 'uid-1',
    eventId: `event-${id}`,
    eventSource: '/test',
    eventType: 'order.completed',
    attempt: 1,
    revision: 1,
    acceptedAt: 0,
    contentType: 'application/json',
    httpHeaders: {},
    body: Buffer.from('{}'),
    ...more,
  };
}

/** A guard with a world around it that the test turns. */
export function guarded(facts: SubscriptionFacts = {}, state?: SubscriptionState) {
  const subscription = subscriptionWith(facts);
  const world: { shared: boolean; learnt: number; present: CompiledSubscription | undefined } = {
    shared: false,
    learnt: 0,
    present: subscription,
  };
  const over = new AbortController();
  const guard: Guard = new Guard(
    subscription,
    new Learnt(SETTINGS, subscription.resource, state),
    SETTINGS,
    {
      isShared: () => world.shared,
      present: () => world.present,
      onLearnt: () => {
        world.learnt++;
      },
    },
    { over: over.signal, isCurrent: () => true },
  );
  return { guard, world, over };
}

type Failed = Extract<Ending, { verdict: 'failed' }>;

export const OUTAGE: Failed = {
  verdict: 'failed',
  durationMs: 5,
  failure: { deliveryId: 'd', code: 'timeout', message: 'No answer.', status: null, isOutage: true },
};
export const REFUSAL: Failed = {
  ...OUTAGE,
  failure: { ...OUTAGE.failure, code: 'http_status', status: 400, isOutage: false },
};
/** The request could not be made: nobody knows how the subscriber is. */
export const UNMADE: Failed = {
  ...OUTAGE,
  failure: { ...OUTAGE.failure, code: 'address_blocked', isOutage: false },
};
export const SUCCESS: Ending = { verdict: 'success', durationMs: 5 };

/** What became of each of several records, as it becomes of them. */
export function admitAll(guard: Guard, ids: readonly string[]): Map<string, Admission | Error> {
  const became = new Map<string, Admission | Error>();
  for (const id of ids) {
    void Promise.resolve()
      .then(() => guard.admit(delivery(id)))
      .then(
        (admission) => became.set(id, admission),
        (error: Error) => became.set(id, error),
      );
  }
  return became;
}

export function go(guard: Guard, id = 'd'): Turn {
  const admission = guard.admit(delivery(id));
  if (admission instanceof Promise || admission.kind !== 'go') throw new Error('It was not admitted.');
  return admission;
}

export function open(guard: Guard): void {
  for (let n = 0; n < SETTINGS.breaker.failures; n++) guard.settle(go(guard), OUTAGE);
}

export const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
