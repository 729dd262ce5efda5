import { decodeOutcome, type EventRecord, type OutgoingRecord } from '@quittance/contracts';
import type { Published } from '@quittance/kafka';
import { Metrics } from '@quittance/service';
import { beforeEach, describe, expect, it } from 'vitest';
import { IdentityWindow } from '../duplicates/identity-window.js';
import { RoutePlanner } from '../routing/route-planner.js';
import { eventOf, incoming, recordOf, span, TestCatalogue, topics } from '../routing/router.fixture.js';
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
let current: boolean;
let draining: boolean;
const context = { isCurrent: () => current, isDraining: () => draining };

beforeEach(async () => {
  config = await TestCatalogue.open();
  config.subscribe('billing');
  acknowledger = new Acknowledger();
  current = true;
  draining = false;
  router = new EventRouter(
    new CatalogueGate(config.catalogue),
    new RoutePlanner(config.catalogue, topics),
    new IdentityWindow(),
    acknowledger,
    topics,
    new RouterMetrics(new Metrics('router')),
  );
});

const route = (event: EventRecord, offset: number): Promise<void> =>
  router.route({ record: recordOf(event, offset), event, span }, context);

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
    draining = true;
    await expect(route(eventOf({ revision: 99 }), 0)).rejects.toMatchObject({ code: 'not_started' });
    expect(acknowledger.calls).toHaveLength(0);
  });

  it('is left to the partition’s new owner, and not remembered as routed', async () => {
    current = false;
    await route(eventOf(), 0);
    expect(acknowledger.calls).toHaveLength(0);
    current = true;
    await route(eventOf(), 0);
    expect(acknowledger.wrote(0)).toEqual(WRITTEN);
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
