import { describe, expect, it } from 'vitest';
import { decodeDelivery, encodeDelivery, type DeliveryRecord } from './delivery-record.js';
import type { IncomingRecord, OutgoingRecord } from './kafka-record.js';

const delivery: DeliveryRecord = {
  deliveryId: 'dlv_1',
  namespace: 'shop',
  subscription: 'billing',
  subscriptionUid: 'uid-billing',
  eventId: 'e1',
  eventSource: '/checkout',
  eventType: 'order.completed',
  attempt: 2,
  revision: 7,
  acceptedAt: 1000,
  contentType: 'application/json',
  httpHeaders: { 'ce-id': 'e1' },
  body: Buffer.from('{}'),
  trace: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
};

/** As it arrives: kafkajs hands headers over as bytes. */
function arrived(record: OutgoingRecord): IncomingRecord {
  return {
    topic: record.topic,
    partition: record.partition ?? 0,
    offset: 0n,
    timestamp: 0,
    key: record.key === null ? null : Buffer.from(record.key),
    value: record.value,
    headers: Object.fromEntries(
      Object.entries(record.headers).map(([name, value]) => [name, Buffer.from(value)]),
    ),
  };
}
const encode = (parts: Partial<DeliveryRecord> = {}): OutgoingRecord =>
  encodeDelivery({ topic: 'deliveries.v1', partition: 3 }, { ...delivery, ...parts });
const roundTrip = (parts: Partial<DeliveryRecord>): DeliveryRecord => decodeDelivery(arrived(encode(parts)));

describe('the record of a delivery', () => {
  it('is read as it was written', () => {
    expect(roundTrip({})).toEqual(delivery);
    const late = { shunts: 3, notBefore: 1_700_000_000_000, replay: true };
    expect(roundTrip(late)).toEqual({ ...delivery, ...late });
  });

  it('says nothing of being put off or sent again when it is neither', () => {
    const headers = Object.keys(encode({ shunts: 0, replay: false }).headers);
    expect(headers.filter((name) => /shunts|not-before|replay/.test(name))).toEqual([]);
  });

  it('stands at its home, or where its subscription’s key belongs', () => {
    expect(encode()).toMatchObject({ topic: 'deliveries.v1', partition: 3, key: 'shop/billing' });
    expect(encodeDelivery({ topic: 'deliveries.retry.5s.v1' }, delivery)).not.toHaveProperty('partition');
  });

  it('is unreadable when a number is none, or a name is missing', () => {
    for (const [name, value] of [
      ['quittance-shunts', 'many'],
      ['quittance-not-before', '-1'],
      ['quittance-attempt', ''],
      ['quittance-subscription-uid', undefined],
    ] as const) {
      const record = arrived(encode());
      record.headers[name] = value;
      if (value === undefined) delete record.headers[name];
      expect(() => decodeDelivery(record)).toThrow(
        expect.objectContaining({ code: 'unreadable_record' }) as Error,
      );
    }
  });
});
