import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DELIVERED, TestDispatcher } from '../deliveries/dispatcher.fixture.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

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
    const stopped = { kind: 'disabled', at: 1, code: 'gone', reason: 'It answered 410.' } as const;
    dispatcher.teach({ stopped });
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
