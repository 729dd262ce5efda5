import { describe, expect, it } from 'vitest';
import { decodeEvent, encodeEvent, type EventRecord } from './event-record.js';

const event: EventRecord = {
  namespace: 'shop',
  attributes: {
    id: 'e1',
    source: '/checkout',
    type: 'order.completed',
    subject: 'order 7',
    extensions: { partitionkey: 'customer-7' },
  },
  data: Buffer.from('{}'),
  revision: 7,
  acceptedAt: 1000,
};
const target = { subscription: 'billing', subscriptionUid: 'uid-billing' };

function roundTrip(parts: Partial<EventRecord>): EventRecord {
  const { topic, key, value, headers } = encodeEvent('events.v1', { ...event, ...parts });
  return decodeEvent({
    topic,
    partition: 0,
    offset: 0n,
    timestamp: 0,
    key: key === null ? null : Buffer.from(key),
    value,
    headers,
  });
}

describe('the record of an event', () => {
  it('is read as it was written', () => {
    expect(roundTrip({})).toEqual(event);
    expect(roundTrip({ test: target })).toEqual({ ...event, test: target });
  });

  it('tells a replay that goes by patterns and filter from one that does not', () => {
    expect(roundTrip({ replay: target }).replay).toEqual(target);
    expect(roundTrip({ replay: { ...target, filtered: false } }).replay).toEqual(target);
    expect(roundTrip({ replay: { ...target, filtered: true } }).replay).toEqual({
      ...target,
      filtered: true,
    });
  });

  it('stands where events of its partition key stand', () => {
    expect(encodeEvent('events.v1', event).key).toBe('shop/customer-7');
    const { partitionkey: _key, ...extensions } = event.attributes.extensions;
    const attributes = { ...event.attributes, extensions };
    expect(encodeEvent('events.v1', { ...event, attributes }).key).toBe('shop/e1');
  });
});
