import { decodeOutcome, type EventRecord, type OutgoingRecord } from '@quittance/contracts';
import { PublishError, type Published } from '@quittance/kafka';
import { Metrics } from '@quittance/service';
import { beforeEach, describe, expect, it } from 'vitest';
import { IdentityWindow } from '../duplicates/identity-window.js';
import { StrictLanes } from '../ordering/strict-lanes.js';
import { Turnstile } from '../ordering/turnstile.js';
import { Homes } from '../routing/homes.js';
import { RoutePlanner } from '../routing/route-planner.js';
import {
  eventOf,
  incoming,
  recordOf,
  span,
  TestAssignment,
  TestCatalogue,
  TestStates,
  topics,
} from '../routing/router.fixture.js';
import { CatalogueGate } from './catalogue-gate.js';
import { EventRouter } from './event-router.js';
import { RouterMetrics } from './router-metrics.js';

/** Collects what is written, and acknowledges it when the test says so. */
class Acknowledger {
  readonly calls: { records: readonly OutgoingRecord[]; settle: (error?: Error) => void }[] = [];
  automatic = true;

  publishAll(records: readonly OutgoingRecord[]): Promise<Published[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Published[]>();
    const settle = (error?: Error) => (error ? reject(error) : resolve([]));
    this.calls.push({ records, settle });
    if (this.automatic) settle();
    return promise;
  }

  /** What the call wrote: the topic's short name, or the outcome's type. */
  wrote(index: number): string[] {
    return (this.calls[index]?.records ?? []).map((record) =>
      record.topic === topics.outcomes ? decodeOutcome(incoming(record, 0)).type : record.topic,
    );
  }
}

const WRITTEN = [topics.deliveries, 'routed'];
let config: TestCatalogue;
let acknowledger: Acknowledger;
let router: EventRouter;
let assignment: TestAssignment;

beforeEach(async () => {
  config = await TestCatalogue.open();
  config.subscribe('billing');
  acknowledger = new Acknowledger();
  assignment = new TestAssignment();
  router = routerOf(await TestStates.open());
});

function routerOf({ states }: TestStates): EventRouter {
  const homes = new Homes(config.catalogue, topics);
  return new EventRouter(
    new CatalogueGate(config.catalogue, states),
    new Turnstile(),
    new RoutePlanner(config.catalogue, states, topics),
    new IdentityWindow(),
    new StrictLanes(acknowledger, homes, { warn: () => undefined }),
    homes,
    acknowledger,
    topics,
    new RouterMetrics(new Metrics('router')),
  );
}

const route = (event: EventRecord, offset: number): Promise<void> =>
  router.route({ record: recordOf(event, offset), event, span }, assignment);

describe('an event', () => {
  it('is handed to the publisher at once, in the order of its partition', () => {
    for (const id of ['a', 'b', 'c']) {
      void route(eventOf({ attributes: { ...eventOf().attributes, id } }), 0);
    }
    expect(acknowledger.calls).toHaveLength(3);
    expect(acknowledger.calls.map(({ records }) => records[0]?.headers['quittance-event-id'])).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('is done when everything that follows from it is acknowledged', async () => {
    acknowledger.automatic = false;
    let isDone = false;
    const routing = route(eventOf(), 0).then(() => {
      isDone = true;
    });
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    acknowledger.calls[0]?.settle();
    await routing;
    expect(acknowledger.wrote(0)).toEqual(WRITTEN);
  });

  it('waits for the revision that it was accepted with', async () => {
    const routing = route(eventOf({ revision: 2 }), 0);
    await Promise.resolve();
    expect(acknowledger.calls).toHaveLength(0);
    config.subscribe('mail');
    await routing;
    expect(acknowledger.wrote(0)).toEqual([topics.deliveries, topics.deliveries, 'routed']);
  });

  it('is not passed by later ones of its namespace while it waits, but by others', async () => {
    const routings = [
      route(eventOf({ revision: 2, attributes: { ...eventOf().attributes, id: 'a' } }), 0),
      route(eventOf({ attributes: { ...eventOf().attributes, id: 'b' } }), 1),
      route(eventOf({ attributes: { ...eventOf().attributes, id: 'c' } }), 2),
    ];
    await route(eventOf({ namespace: 'bank' }), 3);
    expect(acknowledger.calls).toHaveLength(1);
    config.subscribe('mail');
    await Promise.all(routings);
    const ids = acknowledger.calls.slice(1).map(({ records }) => records[0]?.headers['quittance-event-id']);
    expect(ids).toEqual(['a', 'b', 'c']);
  });

  it('waits until the states of subscriptions were read', async () => {
    const learnt = new TestStates();
    router = routerOf(learnt);
    const routing = route(eventOf(), 0);
    await new Promise(setImmediate);
    expect(acknowledger.calls).toHaveLength(0);
    await learnt.states.start();
    learnt.stop('billing', { kind: 'suspended', code: 'paused' });
    await routing;
    expect(acknowledger.wrote(0)).toEqual(['routed']);
  });

  it('waits until the configuration is confirmed', async () => {
    config.confirmedAt = 0;
    const routing = route(eventOf(), 0);
    await Promise.resolve();
    expect(acknowledger.calls).toHaveLength(0);
    config.confirmedAt = Infinity;
    await routing;
    expect(acknowledger.wrote(0)).toEqual(WRITTEN);
  });

  it('is left to the next owner when the process stops while it waits', async () => {
    const routing = route(eventOf({ revision: 99 }), 0);
    assignment.drain();
    await expect(routing).rejects.toMatchObject({ code: 'not_started' });
    expect(acknowledger.calls).toHaveLength(0);
  });

  it('is left to the partition’s new owner, and not remembered as routed', async () => {
    assignment.end();
    await expect(route(eventOf(), 0)).rejects.toMatchObject({ code: 'not_started' });
    expect(acknowledger.calls).toHaveLength(0);
    assignment = new TestAssignment();
    await route(eventOf(), 0);
    expect(acknowledger.wrote(0)).toEqual(WRITTEN);
  });
});

describe('an event that a strict subscription wants', () => {
  beforeEach(() => {
    config.subscribe('strict', { delivery: { ordering: 'strict' } }, 5);
    acknowledger.automatic = false;
  });

  it('is done when its delivery and everything else are acknowledged', async () => {
    let isDone = false;
    const routing = route(eventOf(), 0).then(() => (isDone = true));
    expect(acknowledger.wrote(0)).toEqual([topics.deliveries]);
    expect(acknowledger.wrote(1)).toEqual(WRITTEN);
    acknowledger.calls[1]?.settle();
    await new Promise(setImmediate);
    expect(isDone).toBe(false);
    acknowledger.calls[0]?.settle();
    await routing;
  });

  it('makes a dead letter of a delivery that Kafka refuses', async () => {
    const routing = route(eventOf(), 0);
    acknowledger.calls[0]?.settle(new PublishError('record_too_large', 'It is too large.'));
    acknowledger.calls[1]?.settle();
    await new Promise(setImmediate);
    const [letter, outcome] = acknowledger.calls[2]?.records ?? [];
    expect(letter).toMatchObject({
      topic: topics.deliveriesDlq,
      headers: { 'quittance-subscription': 'strict', 'quittance-dead-code': 'record_too_large' },
    });
    expect(outcome && decodeOutcome(incoming(outcome, 0))).toMatchObject({
      type: 'dead',
      subscription: 'strict',
      error: { code: 'record_too_large', message: 'It is too large.' },
    });
    acknowledger.calls[2]?.settle();
    await routing;
    expect(acknowledger.calls).toHaveLength(3);
  });

  it('is given back when hand-over stops before Kafka took the delivery', async () => {
    const routing = route(eventOf(), 0);
    assignment.drain();
    acknowledger.calls[1]?.settle();
    acknowledger.calls[0]?.settle(new PublishError('kafka_unavailable', 'Kafka is gone.'));
    await expect(routing).rejects.toMatchObject({ code: 'not_started' });
    expect(acknowledger.calls).toHaveLength(2);
  });
});

describe('an event that is tried again', () => {
  it('is written as it was planned, to present homes, and without what is in order already', async () => {
    config.subscribe('strict', { delivery: { ordering: 'strict' } }, 5);
    acknowledger.automatic = false;
    const hand = { record: recordOf(eventOf(), 0), event: eventOf(), span };
    const routing = router.route(hand, assignment);
    acknowledger.calls[0]?.settle();
    acknowledger.calls[1]?.settle(new PublishError('kafka_unavailable', 'Kafka is gone.'));
    await expect(routing).rejects.toMatchObject({ code: 'kafka_unavailable' });
    config.subscribe('late');
    config.subscribe('billing', {}, 9);
    acknowledger.automatic = true;
    await router.route(hand, assignment);
    expect(acknowledger.wrote(2)).toEqual(WRITTEN);
    expect(acknowledger.calls[2]?.records[0]).toMatchObject({ key: 'shop/billing', partition: 9 });
    expect(acknowledger.calls).toHaveLength(3);
  });
});

describe('a duplicate', () => {
  it('is recorded and not delivered', async () => {
    await route(eventOf(), 0);
    await route(eventOf(), 1);
    await route(eventOf({ data: Buffer.from('{"total": 1}') }), 2);
    expect(acknowledger.wrote(1)).toEqual(['duplicate']);
    const [conflict] = acknowledger.calls[2]?.records ?? [];
    expect(conflict && decodeOutcome(incoming(conflict, 0))).toMatchObject({
      type: 'duplicate',
      eventId: 'e1',
      conflict: true,
    });
  });

  it('waits for the first one, and takes its place when that fails', async () => {
    acknowledger.automatic = false;
    const first = route(eventOf(), 0);
    const second = route(eventOf(), 1);
    expect(acknowledger.calls).toHaveLength(1);
    acknowledger.automatic = true;
    acknowledger.calls[0]?.settle(new Error('Kafka is gone'));
    await expect(first).rejects.toThrow('Kafka is gone');
    await second;
    expect(acknowledger.wrote(1)).toEqual(WRITTEN);
    await route(eventOf(), 0);
    expect(acknowledger.wrote(2)).toEqual(['duplicate']);
  });

  it('is not made of a record that is tried again after a failure', async () => {
    acknowledger.automatic = false;
    const first = route(eventOf(), 0);
    acknowledger.calls[0]?.settle(new Error('Kafka is gone'));
    await expect(first).rejects.toThrow('Kafka is gone');
    acknowledger.automatic = true;
    await route(eventOf(), 0);
    expect(acknowledger.wrote(1)).toEqual(WRITTEN);
  });

  it('is not made of a record that is read again: its fan-out is there already', async () => {
    await route(eventOf(), 0);
    await route(eventOf(), 0);
    expect(acknowledger.calls).toHaveLength(1);
  });

  it('may be a sample', async () => {
    const test = { subscription: 'billing', subscriptionUid: 'uid-billing' };
    await route(eventOf({ test }), 1);
    await route(eventOf({ test }), 2);
    expect([acknowledger.wrote(0), acknowledger.wrote(1)]).toEqual([WRITTEN, ['duplicate']]);
  });

  it('is never a replay', async () => {
    await route(eventOf(), 0);
    const replay = { subscription: 'billing', subscriptionUid: 'uid-billing' };
    await route(eventOf({ replay }), 1);
    await route(eventOf({ replay }), 2);
    expect(acknowledger.wrote(1)).toEqual(WRITTEN);
    expect(acknowledger.wrote(2)).toEqual(WRITTEN);
  });
});
