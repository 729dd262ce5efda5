import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DELIVERED, REFUSED, TestDispatcher } from '../deliveries/dispatcher.fixture.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const GONE = { kind: 'disabled', at: 1, code: 'gone', reason: 'It answered 410.' } as const;
const pass = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function known(dispatcher: TestDispatcher): Promise<unknown> {
  const subscription = dispatcher.catalogue.subscription('shop', 'billing')!;
  const guard = dispatcher.guards.of(subscription, 3, dispatcher.assignment);
  await pass();
  return guard;
}

describe('Guards', () => {
  it('wait until they have read what the owner before has left', async () => {
    const dispatcher = await TestDispatcher.open();
    dispatcher.learnt.confirmedAt = -1;
    const handled = dispatcher.handle('a', 0);
    await pass(60_000);
    expect(dispatcher.requests).toEqual([]);
    dispatcher.teach({ stopped: GONE });
    dispatcher.learnt.confirmedAt = performance.now();
    await pass();
    expect(await handled).toBe('dead');
  });

  it('are let go of once their subscription is gone and nothing is under way', async () => {
    const dispatcher = await TestDispatcher.open();
    dispatcher.guards.onApplicationBootstrap();
    const subscription = dispatcher.catalogue.subscription('shop', 'billing')!;
    await known(dispatcher);
    const guard = await known(dispatcher);
    const handled = dispatcher.handle('a', 0);
    await pass();
    dispatcher.remove();
    await pass(30_000);
    expect(dispatcher.guards.of(subscription, 3, dispatcher.assignment)).toBe(guard);
    dispatcher.requests[0]!.answer(DELIVERED());
    expect(await handled).toBe('delivered');
    await pass(30_000);
    expect(dispatcher.guards.of(subscription, 3, dispatcher.assignment)).toBeInstanceOf(Promise);
    dispatcher.guards.beforeApplicationShutdown();
  });

  it('leave it to the new home what is known of a subscription that has moved', async () => {
    const dispatcher = await TestDispatcher.open();
    const handled = dispatcher.handle('a', 0);
    await pass();
    dispatcher.put({}, { partition: 5, move: { id: 'm1', from: 3, startedAt: 0 } });
    dispatcher.teach({ stopped: GONE });
    dispatcher.requests[0]!.answer(REFUSED());
    expect(await handled).toContain('attempted');
    expect(dispatcher.saved).toEqual([]);
  });

  it('say what they know as long as the old home is the one that delivers', async () => {
    const strict = { delivery: { ordering: 'strict' } } as const;
    const dispatcher = await TestDispatcher.open(strict);
    void dispatcher.handle('a', 0);
    await pass();
    dispatcher.put(strict, { partition: 5, move: { id: 'm1', from: 3, startedAt: 0 } });
    dispatcher.requests[0]!.answer(REFUSED());
    await pass();
    expect(dispatcher.saved.at(-1)?.head).toMatchObject({ deliveryId: 'a', attempt: 2 });
  });

  it('say again what somebody who knew less has overwritten, and nothing else again', async () => {
    const dispatcher = await TestDispatcher.open();
    dispatcher.guards.onApplicationBootstrap();
    const handled = dispatcher.handle('a', 0);
    await pass();
    dispatcher.requests[0]!.answer({ ...REFUSED(), verdict: 'gone', status: 410 });
    expect(await handled).toBe('dead');
    await pass(30_000);
    expect(dispatcher.saved).toHaveLength(1);
    dispatcher.teach({});
    await pass(30_000);
    expect(dispatcher.saved.map(({ stopped }) => stopped?.code)).toEqual(['gone', 'gone']);
    dispatcher.put({ activation: 2 });
    await pass(30_000);
    expect(dispatcher.saved).toHaveLength(2);
    dispatcher.guards.beforeApplicationShutdown();
  });

  it('do not speak for the old home once it is drained', async () => {
    const strict = { delivery: { ordering: 'strict' } } as const;
    const move = { id: 'm1', from: 3, startedAt: 0 };
    const dispatcher = await TestDispatcher.open(strict, { partition: 5, move });
    dispatcher.guards.onApplicationBootstrap();
    await known(dispatcher);
    dispatcher.teach({ stopped: GONE, drained: 'm1' });
    await pass(30_000);
    expect(dispatcher.saved).toEqual([]);
    dispatcher.guards.beforeApplicationShutdown();
  });

  it('begin anew when a home is come back to: much may have been learnt elsewhere', async () => {
    const dispatcher = await TestDispatcher.open();
    await known(dispatcher);
    const before = await known(dispatcher);
    dispatcher.put({}, { partition: 3, move: { id: 'm2', from: 5, startedAt: 0 } });
    await known(dispatcher);
    const after = await known(dispatcher);
    expect(after).not.toBe(before);
    expect(await known(dispatcher)).toBe(after);
  });
});
