import { describe, expect, it } from 'vitest';
import type { IncomingRecord, OutgoingRecord } from './kafka-record.js';
import {
  decodeSubscriptionState,
  encodeSubscriptionState,
  encodeSubscriptionStateRemoval,
  type SubscriptionState,
} from './subscription-state.js';

const full: SubscriptionState = {
  namespace: 'shop',
  subscription: 'billing',
  uid: 'uid-billing',
  activation: 2,
  at: 1000,
  stopped: { kind: 'suspended', at: 900, code: 'halted', reason: 'The last attempt failed.' },
  failingSince: 800,
  lastSuccessAt: 700,
  lastError: { at: 850, code: 'status', message: '503', status: 503, deliveryId: 'dlv_1' },
  breaker: { since: 810, until: 910, openings: 3 },
  head: { deliveryId: 'dlv_1', attempt: 9, dueAt: 950 },
  drained: 'move-1',
};

const read = ({ key, value }: Pick<OutgoingRecord, 'key' | 'value'>) =>
  decodeSubscriptionState({ key: key === null ? null : Buffer.from(key), value });

describe('the record of a subscription’s state', () => {
  it('has the subscription as its key', () => {
    expect(encodeSubscriptionState('states', full)).toMatchObject({ topic: 'states', key: 'shop/billing' });
  });

  it('is read as it was written', () => {
    const { namespace, subscription, uid, activation, at } = full;
    for (const state of [full, { namespace, subscription, uid, activation, at }]) {
      expect(read(encodeSubscriptionState('states', state))).toEqual({ change: 'put', state });
    }
  });

  it('is removed by one without a value', () => {
    const removal = encodeSubscriptionStateRemoval('states', 'shop', 'billing');
    expect(removal.value).toBeNull();
    expect(read(removal)).toEqual({ change: 'remove', namespace: 'shop', subscription: 'billing' });
  });

  it('may say more than this release knows', () => {
    const later = Buffer.from(JSON.stringify({ ...full, mood: 'sunny' }));
    expect(read({ key: 'shop/billing', value: later })).toEqual({ change: 'put', state: full });
  });

  it.each<[string, string | null, Buffer | null]>([
    ['without a key', null, Buffer.from('{}')],
    ['with half a key', 'shop', null],
    ['that is no JSON', 'shop/billing', Buffer.from('{')],
    ['that lacks a field', 'shop/billing', Buffer.from('{"namespace":"shop"}')],
    [
      'stopped for a reason that nobody knows',
      'shop/billing',
      Buffer.from(JSON.stringify({ ...full, stopped: { ...full.stopped, code: 'bored' } })),
    ],
  ])('%s is told apart', (_what, key, value) => {
    const record: Pick<IncomingRecord, 'key' | 'value'> = {
      key: key === null ? null : Buffer.from(key),
      value,
    };
    expect(() => decodeSubscriptionState(record)).toThrow(
      expect.objectContaining({ code: 'unreadable_record' }) as Error,
    );
  });
});
