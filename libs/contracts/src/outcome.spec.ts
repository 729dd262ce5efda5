import { describe, expect, it } from 'vitest';
import {
  decodeOutcome,
  encodeOutcome,
  type HeldOutcome,
  type Outcome,
  type RoutedOutcome,
} from './outcome.js';

const about = { at: 1000, namespace: 'shop', eventId: 'e1', eventSource: '/checkout' };
const delivery = { deliveryId: 'dlv_1', subscription: 'billing', subscriptionUid: 'uid-billing' };
const attempt = {
  attemptId: 'a1',
  attempt: 2,
  status: 503,
  durationMs: 12.5,
  fallback: 1,
  error: { code: 'status', message: '503' },
};

const routed: RoutedOutcome = {
  type: 'routed',
  ...about,
  revision: 7,
  matched: [delivery, { ...delivery, deliveryId: 'dlv_2', held: 'paused' }],
  skipped: [],
  skippedCount: 0,
  replay: true,
  filtered: true,
};
const held: HeldOutcome = { type: 'held', ...about, ...delivery, code: 'unreachable' };

function read(value: Buffer | null): Outcome {
  return decodeOutcome({
    topic: 'outcomes.v1',
    partition: 0,
    offset: 0n,
    timestamp: 0,
    key: null,
    value,
    headers: {},
  });
}

describe('the record of an outcome', () => {
  it.each<Outcome>([
    routed,
    held,
    { ...held, ...attempt, code: 'halted' },
    { type: 'dead', ...about, ...delivery, error: { code: 'subscription_disabled', message: 'Disabled.' } },
    { type: 'delivered', ...about, ...delivery, ...attempt, status: 200, error: null },
  ])('is read as it was written', (outcome) => {
    const record = encodeOutcome('outcomes.v1', outcome);
    expect(record.key).toBe('e1');
    expect(read(record.value)).toEqual(outcome);
  });

  it('is unreadable when it holds a delivery for a reason that nobody knows', () => {
    for (const wrong of [
      { ...held, code: 'gone' },
      { ...routed, matched: [{ ...delivery, held: 'failing' }] },
    ]) {
      expect(() => read(Buffer.from(JSON.stringify(wrong)))).toThrow(
        expect.objectContaining({ code: 'unreadable_record' }) as Error,
      );
    }
    expect(() => read(null)).toThrow(expect.objectContaining({ code: 'unreadable_record' }) as Error);
  });
});
