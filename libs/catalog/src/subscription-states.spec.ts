import {
  encodeSubscriptionState,
  encodeSubscriptionStateRemoval,
  type OutgoingRecord,
  type SubscriptionResource,
  type SubscriptionState,
} from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { MemoryConfigSource, subscriptionOf } from './catalogue.fixture.js';
import { SubscriptionStates } from './subscription-states.js';

const learnt: SubscriptionState = {
  namespace: 'shop',
  subscription: 'billing',
  uid: 'uid-billing',
  activation: 1,
  at: 1000,
  stopped: { kind: 'disabled', at: 900, code: 'gone', reason: 'The subscriber answered 410.' },
  failingSince: 800,
  lastSuccessAt: 700,
  lastError: { at: 850, code: 'status', message: '410', status: 410, deliveryId: 'dlv_1' },
  breaker: { since: 810, until: 910, openings: 3 },
  head: { deliveryId: 'dlv_1', attempt: 9, dueAt: 950 },
  drained: 'move-1',
};

function billing(activation = 1, uid = 'uid-billing'): SubscriptionResource {
  const resource = subscriptionOf('billing', { events: ['*'] });
  return {
    ...resource,
    metadata: { ...resource.metadata, uid },
    status: { ...resource.status, activation },
  };
}

async function open() {
  const source = new MemoryConfigSource();
  const problems: string[] = [];
  const states = new SubscriptionStates({ source, onProblem: (key) => problems.push(key) });
  const write = ({ key, value }: OutgoingRecord): void => {
    source.write(key === null ? null : Buffer.from(key), value);
  };
  return {
    source,
    states,
    problems,
    write,
    put: (state: SubscriptionState) => write(encodeSubscriptionState('states', state)),
  };
}

describe('the states of subscriptions', () => {
  it('are ready once what stood in the topic was read, and follow it from then on', async () => {
    const { states, put } = await open();
    put(learnt);
    expect(states.ready).toBe(false);
    await states.start();
    expect(states.ready).toBe(true);
    expect(states.of(billing())).toEqual(learnt);
    put({ ...learnt, at: 2000 });
    expect(states.of(billing())?.at).toBe(2000);
  });

  it('of a subscription that nothing was learnt of are unknown', async () => {
    const { states, put } = await open();
    await states.start();
    put({ ...learnt, namespace: 'bank' });
    expect(states.of(billing())).toBeUndefined();
  });

  it('say nothing of another subscription of the same name', async () => {
    const { states, put } = await open();
    await states.start();
    put(learnt);
    expect(states.of(billing(1, 'uid-later'))).toBeUndefined();
  });

  it('say nothing of being stopped to a subscription that was resumed since', async () => {
    const { states, put } = await open();
    await states.start();
    put(learnt);
    const { stopped: _stopped, failingSince: _since, breaker: _breaker, head: _head, ...rest } = learnt;
    expect(states.of(billing(2))).toEqual({ ...rest, activation: 2 });
    put({ ...learnt, activation: 2 });
    expect(states.of(billing(2))).toEqual({ ...learnt, activation: 2 });
  });

  it('count when they were learnt under an activation that is not known here yet', async () => {
    const { states, put } = await open();
    await states.start();
    put({ ...learnt, activation: 3 });
    expect(states.of(billing(2))?.stopped).toEqual(learnt.stopped);
  });

  it('end with the subscription', async () => {
    const { states, put, write } = await open();
    await states.start();
    put(learnt);
    expect([...states.all()]).toEqual([learnt]);
    write(encodeSubscriptionStateRemoval('states', 'shop', 'billing'));
    expect(states.of(billing())).toBeUndefined();
    expect([...states.all()]).toEqual([]);
  });

  it('outlive a record that cannot be read', async () => {
    const { states, put, source, problems } = await open();
    await states.start();
    put(learnt);
    source.write(Buffer.from('shop/billing'), Buffer.from('{'));
    source.write(null, null);
    expect(states.of(billing())).toEqual(learnt);
    expect(problems).toEqual(['shop/billing', '']);
  });

  it('tell when reading has ended', async () => {
    const { states, source } = await open();
    await states.start();
    source.confirmedAt = 5;
    expect(states).toMatchObject({ alive: true, confirmedAt: 5 });
    await states.close();
    expect(states.alive).toBe(false);
  });
});
