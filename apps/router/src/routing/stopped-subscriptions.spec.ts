import { deliveryIdOf, type EventRecord } from '@quittance/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { deliveries, outcomes } from './plan.fixture.js';
import type { RoutePlan } from './route-plan.js';
import { RoutePlanner } from './route-planner.js';
import { eventOf, recordOf, span, TestCatalogue, TestStates, topics } from './router.fixture.js';

let config: TestCatalogue;
let learnt: TestStates;
beforeEach(async () => {
  config = await TestCatalogue.open();
  learnt = await TestStates.open();
});

function plan(event: EventRecord): RoutePlan {
  return new RoutePlanner(config.catalogue, learnt.states, topics).plan(recordOf(event), event, span);
}

describe('a suspended subscription', () => {
  it('has its delivery held: nothing is rendered, nothing written', () => {
    for (const code of ['paused', 'unreachable', 'halted'] as const) {
      config.subscribe(code, { transform: '{"x": event.data.missing}' });
      learnt.stop(code, { kind: 'suspended', code });
    }
    const result = plan(eventOf());
    const held = (subscription: string) =>
      expect.objectContaining({
        subscription,
        held: subscription,
        deliveryId: deliveryIdOf({ namespace: 'shop', source: '/checkout', id: 'e1' }, `uid-${subscription}`),
      });
    expect(outcomes(result)).toMatchObject([
      { type: 'routed', matched: [held('halted'), held('paused'), held('unreachable')], skipped: [] },
    ]);
    expect(result.records).toHaveLength(1);
    expect(result).toMatchObject({ written: 0, held: 3, dead: 0, skipped: 0 });
  });

  it('is not given what its filter does not want', () => {
    config.subscribe('billing', { filter: 'false' });
    learnt.stop('billing', { kind: 'suspended', code: 'paused' });
    expect(outcomes(plan(eventOf()))).toMatchObject([{ matched: [], skipped: [{ code: 'filter_false' }] }]);
  });

  it('is sent again what it is given once it was resumed', () => {
    config.subscribe('billing');
    learnt.stop('billing', { kind: 'suspended', code: 'paused' });
    config.subscribe('billing', {}, 3, 2);
    expect(deliveries(plan(eventOf()))).toMatchObject([{ subscription: 'billing' }]);
  });

  it('is tried with a replay or a sample only when it is unreachable', () => {
    const target = { subscription: 'billing', subscriptionUid: 'uid-billing' };
    config.subscribe('billing');
    for (const event of [eventOf({ replay: target }), eventOf({ test: target })]) {
      learnt.stop('billing', { kind: 'suspended', code: 'unreachable' });
      expect(plan(event)).toMatchObject({ written: 1, held: 0 });
      for (const code of ['paused', 'halted'] as const) {
        learnt.stop('billing', { kind: 'suspended', code });
        const result = plan(event);
        expect(result).toMatchObject({ written: 0, held: 1 });
        expect(outcomes(result)).toMatchObject([{ matched: [{ subscription: 'billing', held: code }] }]);
      }
    }
  });
});

describe('a disabled subscription', () => {
  it('is skipped, and told since when, why, and what to do', () => {
    config.subscribe('billing');
    learnt.stop('billing', { kind: 'disabled', code: 'gone' });
    const result = plan(eventOf());
    expect(outcomes(result)).toMatchObject([
      {
        matched: [],
        skipped: [
          {
            subscription: 'billing',
            code: 'subscription_disabled',
            reason:
              'The subscription has been disabled since 2026-01-01T00:00:00.000Z: For the reason of the test. ' +
              'Resume it, then recover what it missed since then.',
          },
        ],
      },
    ]);
    expect(result).toMatchObject({ written: 0, held: 0, skipped: 1 });
  });

  it('is skipped by replays and samples too', () => {
    const target = { subscription: 'billing', subscriptionUid: 'uid-billing' };
    config.subscribe('billing');
    learnt.stop('billing', { kind: 'disabled', code: 'failing' });
    for (const event of [eventOf({ replay: target }), eventOf({ test: target })]) {
      expect(outcomes(plan(event))).toMatchObject([{ skipped: [{ code: 'subscription_disabled' }] }]);
    }
  });
});
