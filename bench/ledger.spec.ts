import { describe, expect, it } from 'vitest';
import { objections, reconcile } from './ledger.js';
import { NO_ANSWER, NOT_SENT, type Arrivals, type SendRecord } from './messages.js';

const ONE_ENDPOINT = { firstEvent: 100, events: 4, endpoints: 1 };

function sent(...status: number[]): SendRecord {
  const times = new Float64Array(status.length);
  return {
    status: Int16Array.from(status),
    dueAt: times,
    sentAt: times,
    answeredAt: times,
    heldBack: 0,
    longestQueue: 0,
    errors: {},
  };
}

function arrived(count: number[], requests?: number): Arrivals {
  return {
    arrivedAt: new Float64Array(count.length),
    count: Uint16Array.from(count),
    requests: requests ?? count.reduce((sum, each) => sum + each, 0),
  };
}

describe('reconcile', () => {
  it('accounts for every accepted event as delivered once, duplicated or lost', () => {
    const ledger = reconcile(ONE_ENDPOINT, sent(202, 202, 202, 202), arrived([1, 3, 0, 1]));
    expect(ledger).toMatchObject({
      accepted: 4,
      owed: 4,
      deliveredOnce: 2,
      duplicated: 1,
      lost: 1,
      repetitions: 2,
    });
  });

  it('owes an accepted event to every endpoint', () => {
    const ledger = reconcile(
      { firstEvent: 0, events: 2, endpoints: 3 },
      sent(202, 202),
      arrived([1, 1, 1, 0, 2, 1]),
    );
    expect(ledger).toMatchObject({ accepted: 2, owed: 6, deliveredOnce: 4, duplicated: 1, lost: 1 });
  });

  it('owes nothing for what was refused, and says how it was', () => {
    const ledger = reconcile(ONE_ENDPOINT, sent(202, 503, NO_ANSWER, NOT_SENT), arrived([1, 0, 0, 0]));
    expect(ledger).toMatchObject({ accepted: 1, owed: 1, deliveredOnce: 1, lost: 0 });
    expect(ledger.refused).toEqual({ '503': 1, 'no answer': 1, 'not sent': 1 });
    expect(objections(ledger)).toEqual([]);
  });

  it('takes the arrival of an event whose answer got lost for what it is', () => {
    const ledger = reconcile(ONE_ENDPOINT, sent(202, 202, 202, NO_ANSWER), arrived([1, 1, 1, 1]));
    expect(ledger).toMatchObject({ owed: 3, deliveredOnce: 3, unaccepted: 1, unknown: 0 });
    expect(objections(ledger)).toEqual([]);
  });
});

describe('objections', () => {
  it('are none against duplicates', () => {
    expect(objections(reconcile(ONE_ENDPOINT, sent(202, 202, 202, 202), arrived([1, 2, 1, 1])))).toEqual([]);
  });

  it('are raised when anything is lost', () => {
    const found = objections(reconcile(ONE_ENDPOINT, sent(202, 202, 202, 202), arrived([1, 0, 1, 1])));
    expect(found).toEqual(['1 of 4 deliveries were lost']);
  });

  it('are raised when more arrived than can be explained', () => {
    const found = objections(reconcile(ONE_ENDPOINT, sent(202, 202, 202, 202), arrived([1, 1, 1, 1], 5)));
    expect(found).toEqual(['1 requests arrived for events that were not sent in this run']);
  });

  it('are raised when nothing was accepted', () => {
    const found = objections(reconcile(ONE_ENDPOINT, sent(503, 503, 503, 503), arrived([0, 0, 0, 0])));
    expect(found).toEqual(['nothing was accepted']);
  });
});
