import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestDispatcher } from '../deliveries/dispatcher.fixture.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('MoveWatch', () => {
  async function moving(): Promise<TestDispatcher> {
    const move = { id: 'm1', from: 5, startedAt: 0, fence: '10' };
    const dispatcher = await TestDispatcher.open({}, { partition: 3, move });
    dispatcher.moves.onApplicationBootstrap();
    return dispatcher;
  }

  it('says once that everything below the fence is dealt with', async () => {
    const dispatcher = await moving();
    dispatcher.committed = 9n;
    await vi.advanceTimersByTimeAsync(5000);
    expect(dispatcher.saved).toEqual([]);
    dispatcher.committed = 10n;
    await vi.advanceTimersByTimeAsync(5000);
    expect(dispatcher.saved).toEqual([expect.objectContaining({ drained: 'm1' })]);
    await dispatcher.moves.beforeApplicationShutdown();
  });

  it('first reads back what the last records of the old home have taught', async () => {
    const dispatcher = await moving();
    dispatcher.learnt.confirmedAt = performance.now();
    dispatcher.committed = 10n;
    await vi.advanceTimersByTimeAsync(5000);
    expect(dispatcher.saved).toEqual([]);
    const stopped = { kind: 'suspended', at: 1, code: 'halted', reason: 'The last attempt failed.' } as const;
    dispatcher.teach({ stopped });
    dispatcher.learnt.confirmedAt = performance.now();
    await vi.advanceTimersByTimeAsync(1000);
    expect(dispatcher.saved).toEqual([expect.objectContaining({ drained: 'm1', stopped })]);
    await dispatcher.moves.beforeApplicationShutdown();
  });
});
