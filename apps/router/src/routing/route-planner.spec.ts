import { deliveryIdOf, MAX_SKIPPED_LISTED, type EventRecord } from '@quittance/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_MATCHED_LISTED } from './route.js';
import { deliveries, outcomes, written } from './plan.fixture.js';
import { eventOf, recordOf, span, TestCatalogue, TestStates, topics } from './router.fixture.js';
import type { RoutePlan } from './route-plan.js';
import { RoutePlanner } from './route-planner.js';

let config: TestCatalogue;
let learnt: TestStates;
beforeEach(async () => {
  config = await TestCatalogue.open();
  learnt = await TestStates.open();
});

function plan(event: EventRecord): RoutePlan {
  return new RoutePlanner(config.catalogue, learnt.states, topics).plan(recordOf(event, 7, 1), event, span);
}

describe('routing', () => {
  it('writes a delivery to the home of each subscription that wants the type', () => {
    config.subscribe('billing', {}, 3);
    config.subscribe('mail', { events: ['*'] }, 5);
    const revision = config.subscribe('other', { events: ['payment.*'] });
    const event = eventOf();
    const result = plan(event);
    expect(written(result).map((record) => record.partition)).toEqual([3, 5]);
    expect(deliveries(result)[0]).toEqual({
      deliveryId: deliveryIdOf({ namespace: 'shop', source: '/checkout', id: 'e1' }, 'uid-billing'),
      namespace: 'shop',
      subscription: 'billing',
      subscriptionUid: 'uid-billing',
      eventId: 'e1',
      eventSource: '/checkout',
      eventType: 'order.completed',
      attempt: 1,
      revision,
      acceptedAt: event.acceptedAt,
      contentType: 'application/json',
      httpHeaders: {},
      body: Buffer.from(
        '{"type":"order.completed","timestamp":"2026-01-02T03:04:05.678Z","data":{"total": 120.50}}',
      ),
      trace: span.context,
    });
    expect(outcomes(result)).toEqual([
      expect.objectContaining({
        type: 'routed',
        namespace: 'shop',
        eventId: 'e1',
        eventSource: '/checkout',
        traceId: span.traceId,
        revision,
        matched: [
          expect.objectContaining({ subscription: 'billing', subscriptionUid: 'uid-billing' }),
          expect.objectContaining({ subscription: 'mail' }),
        ],
        skipped: [],
        skippedCount: 0,
      }),
    ]);
  });

  it('renders a body once for all subscriptions of a format', () => {
    for (let number = 0; number < 10; number++) config.subscribe(`s${number}`);
    const bodies = written(plan(eventOf())).map((record) => record.value);
    expect(bodies).toHaveLength(10);
    expect(new Set(bodies).size).toBe(1);
  });

  it('records an event that nobody wants', () => {
    const result = plan(eventOf());
    expect(result).toMatchObject({ written: 0, dead: 0, skipped: 0 });
    expect(outcomes(result)).toMatchObject([{ type: 'routed', matched: [], skipped: [] }]);
  });

  it('does not match a filter that is false or fails, and says why', () => {
    config.subscribe('big', { filter: 'event.data.total > 1000' });
    config.subscribe('right', { filter: 'event.data.total + 1 > 100' });
    config.subscribe('typo', { filter: 'event.data.totl > 100' });
    const result = plan(eventOf());
    expect(outcomes(result)).toMatchObject([
      {
        matched: [{ subscription: 'right' }],
        skipped: [
          { subscription: 'big', subscriptionUid: 'uid-big', code: 'filter_false' },
          { subscription: 'typo', code: 'filter_error', reason: 'No such key: totl' },
        ],
        skippedCount: 2,
      },
    ]);
  });

  it('filters data that is not JSON by attributes only', () => {
    config.subscribe('attributes', { filter: 'event.source == "/checkout"' });
    config.subscribe('data', { filter: 'event.data.total > 1' });
    const attributes = { ...eventOf().attributes, datacontenttype: 'text/plain' };
    expect(outcomes(plan(eventOf({ attributes, data: Buffer.from('x') })))).toMatchObject([
      {
        matched: [{ subscription: 'attributes' }],
        skipped: [
          {
            subscription: 'data',
            code: 'filter_error',
            reason: 'No such key: data (the data is text/plain, not JSON)',
          },
        ],
      },
    ]);
  });

  it(`lists ${MAX_SKIPPED_LISTED} skipped subscriptions and counts the rest`, () => {
    for (let number = 0; number < MAX_SKIPPED_LISTED + 5; number++) {
      config.subscribe(`s${number}`, { filter: 'false' });
    }
    const [routed] = outcomes(plan(eventOf()));
    expect(routed).toMatchObject({ skippedCount: MAX_SKIPPED_LISTED + 5 });
    expect(routed?.type === 'routed' && routed.skipped).toHaveLength(MAX_SKIPPED_LISTED);
  });
});

describe('a great many matches', () => {
  it('make several outcomes, which differ in their matches only', () => {
    const count = MAX_MATCHED_LISTED + 1;
    for (let number = 0; number < count; number++) config.subscribe(`s${number}`);
    config.subscribe('none', { filter: 'false' });
    const result = plan(eventOf());
    const all = outcomes(result).filter((outcome) => outcome.type === 'routed');
    expect(all).toHaveLength(2);
    expect(new Set(all.flatMap(({ matched }) => matched.map(({ deliveryId }) => deliveryId))).size).toBe(
      count,
    );
    const [first, second] = all.map(({ matched: _matched, ...rest }) => rest);
    expect(second).toEqual(first);
    expect(first?.skipped).toMatchObject([{ subscription: 'none' }]);
    expect(result.written).toBe(count);
  });

  it('never make an outcome of more than 500 KiB', () => {
    const longest = (number: number): string => `${'s'.repeat(57)}-${10_000 + number}`;
    for (let number = 0; number < MAX_MATCHED_LISTED; number++) config.subscribe(longest(number));
    for (let number = 0; number < MAX_MATCHED_LISTED; number++) {
      learnt.stop(longest(number), { kind: 'suspended', code: 'unreachable' });
    }
    const sizes = plan(eventOf()).records.map(({ value }) => value?.length ?? 0);
    expect(sizes).toHaveLength(1);
    expect(sizes[0]).toBeLessThan(500 * 1024);
  });
});

describe('a strict subscription', () => {
  it('has its delivery planned apart: it is written in order', () => {
    config.subscribe('billing', { delivery: { ordering: 'strict' } }, 4);
    config.subscribe('mail');
    const result = plan(eventOf());
    expect(deliveries(result)).toMatchObject([{ subscription: 'mail' }]);
    expect(result.strict).toMatchObject([{ deliveryId: expect.any(String), record: { partition: 4 } }]);
    expect(result.written).toBe(2);
    expect(outcomes(result)).toMatchObject([
      { matched: [{ subscription: 'billing' }, { subscription: 'mail' }] },
    ]);
  });
});

describe('a transform', () => {
  it('replaces the data', () => {
    config.subscribe('billing', {
      transform: '{"total": event.data.total + 1, "count": size("abc")}',
      format: 'data',
    });
    expect(deliveries(plan(eventOf()))[0]?.body.toString()).toBe('{"total":121.5,"count":3}');
  });

  it('that fails makes a dead letter of the event, and stops no other subscription', () => {
    config.subscribe('broken', { transform: '{"x": event.data.missing}' });
    config.subscribe('fine');
    const result = plan(eventOf());
    expect(deliveries(result)).toMatchObject([{ subscription: 'fine' }]);
    expect(outcomes(result)).toMatchObject([
      {
        type: 'dead',
        subscription: 'broken',
        subscriptionUid: 'uid-broken',
        error: { code: 'transform_failed', message: 'No such key: missing' },
      },
      { type: 'routed', matched: [{ subscription: 'broken' }, { subscription: 'fine' }] },
    ]);
    const letter = result.records.find((record) => record.topic === topics.deliveriesDlq);
    expect(letter).toMatchObject({
      key: 'shop/broken',
      value: eventOf().data,
      headers: {
        ce_id: 'e1',
        'quittance-subscription': 'broken',
        'quittance-dead-code': 'transform_failed',
        'quittance-dead-reason': 'No such key: missing',
        'quittance-dead-topic': topics.events,
        'quittance-dead-partition': '1',
        'quittance-dead-offset': '7',
      },
    });
    expect(result).toMatchObject({ written: 1, dead: 1, skipped: 0 });
  });

  it('that makes too much of it is a dead letter too', () => {
    config.subscribe('billing', { transform: '[event.data.s, event.data.s, event.data.s]' });
    const data = Buffer.from(JSON.stringify({ s: 'ü'.repeat(300_000) }));
    expect(outcomes(plan(eventOf({ data })))).toMatchObject([
      { type: 'dead', error: { code: 'body_too_large' } },
      { type: 'routed' },
    ]);
  });
});

describe('a replay', () => {
  it('goes to its subscription only, whatever the filter says', () => {
    config.subscribe('billing', { filter: 'false' });
    config.subscribe('mail');
    const replay = { subscription: 'billing', subscriptionUid: 'uid-billing' };
    const result = plan(eventOf({ replay }));
    expect(deliveries(result)).toMatchObject([{ subscription: 'billing', attempt: 1, replay: true }]);
    expect(outcomes(result)).toMatchObject([
      { type: 'routed', replay: true, matched: [{ subscription: 'billing' }] },
    ]);
  });

  it('is skipped when the subscription was deleted, or is another one of that name', () => {
    config.subscribe('billing');
    for (const replay of [
      { subscription: 'gone', subscriptionUid: 'uid-gone' },
      { subscription: 'billing', subscriptionUid: 'uid-earlier' },
    ]) {
      const result = plan(eventOf({ replay }));
      expect(deliveries(result)).toEqual([]);
      expect(outcomes(result)).toMatchObject([{ replay: true, skipped: [{ code: 'deleted' }] }]);
    }
  });

  it('goes by the present patterns and filter when it is asked to', () => {
    const skippedFor = (spec: Record<string, unknown>): unknown => {
      config.subscribe('billing', spec);
      const replay = { subscription: 'billing', subscriptionUid: 'uid-billing', filtered: true };
      const [routed] = outcomes(plan(eventOf({ replay })));
      expect(routed).toMatchObject({ type: 'routed', replay: true, filtered: true });
      return routed?.type === 'routed' && routed.skipped.map(({ code }) => code);
    };
    expect(skippedFor({ filter: 'event.data.total > 100' })).toEqual([]);
    expect(skippedFor({ events: ['payment.*'] })).toEqual(['pattern_mismatch']);
    expect(skippedFor({ filter: 'event.data.total > 1000' })).toEqual(['filter_false']);
    expect(skippedFor({ filter: 'event.data.totl > 100' })).toEqual(['filter_error']);
  });
});

describe('a sample', () => {
  const test = { subscription: 'billing', subscriptionUid: 'uid-billing' };

  it('goes to its subscription only, whatever its patterns and its filter say, and says what it is', () => {
    config.subscribe('billing', { events: ['payment.*'], filter: 'false', format: 'cloudevents-binary' });
    config.subscribe('mail');
    const result = plan(eventOf({ test }));
    expect(deliveries(result)).toMatchObject([
      {
        subscription: 'billing',
        attempt: 1,
        httpHeaders: { 'ce-type': 'order.completed', 'quittance-test': 'true' },
        body: Buffer.from('{"total": 120.50}'),
      },
    ]);
    const [routed] = outcomes(result);
    expect(routed).toMatchObject({ type: 'routed', matched: [{ subscription: 'billing' }], skipped: [] });
    expect(routed).not.toHaveProperty('replay');
  });

  it('is skipped when the subscription was deleted', () => {
    const result = plan(eventOf({ test }));
    expect(deliveries(result)).toEqual([]);
    expect(outcomes(result)).toMatchObject([{ skipped: [{ subscription: 'billing', code: 'deleted' }] }]);
  });

  it('is marked when it is sent again too, and settles the delivery that it replays', () => {
    config.subscribe('billing', { events: ['payment.*'] });
    const result = plan(eventOf({ test, replay: test }));
    expect(deliveries(result)).toMatchObject([{ replay: true, httpHeaders: { 'quittance-test': 'true' } }]);
    expect(outcomes(result)).toMatchObject([{ replay: true, matched: [{ subscription: 'billing' }] }]);
  });

  it('does not leave its mark on what others are sent', () => {
    config.subscribe('billing');
    plan(eventOf({ test }));
    expect(deliveries(plan(eventOf()))[0]?.httpHeaders).toEqual({});
  });
});
