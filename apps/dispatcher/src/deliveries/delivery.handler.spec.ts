import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DELIVERED, REFUSED, TestAssignment, TestDispatcher } from './dispatcher.fixture.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pass = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const strict = { delivery: { ordering: 'strict' } } as const;

/** What becomes of them, in the order in which it does. */
function handleAll(dispatcher: TestDispatcher, ids: readonly string[]): string[] {
  const became: string[] = [];
  for (const [offset, id] of ids.entries()) {
    void dispatcher.handle(id, offset).then((outcome) => became.push(`${id} ${String(outcome)}`));
  }
  return became;
}

describe('a delivery that waits', () => {
  it('is given up when its subscription is deleted, whatever it waits for', async () => {
    const dispatcher = await TestDispatcher.open({ paused: true });
    const became = handleAll(dispatcher, ['a', 'b']);
    await pass(1000);
    expect(became).toEqual([]);
    dispatcher.remove();
    await pass(300);
    expect(became).toEqual(['a dead', 'b dead']);
  });

  it('is put off when what its subscription is cannot be read, which does not say that it was deleted', async () => {
    const dispatcher = await TestDispatcher.open();
    dispatcher.putUnreadable('mail');
    const became = dispatcher.handle('a', 0, { subscription: 'mail', subscriptionUid: 'uid-2' });
    await expect(became).resolves.toBe('deliveries.retry.5m.v1##1');
    expect(dispatcher.requests).toEqual([]);
  });

  it('is sent on to the present home when that is moved', async () => {
    const dispatcher = await TestDispatcher.open({ paused: true });
    const became = handleAll(dispatcher, ['a', 'b']);
    await pass();
    dispatcher.put({ paused: true }, { partition: 5, move: { id: 'm1', from: 3, startedAt: 0 } });
    await pass(300);
    expect(became).toEqual(['a deliveries.v1#5#1', 'b deliveries.v1#5#1']);
    // Whoever owns that is not to judge by an older configuration.
    const revisions = dispatcher.onward.map(({ headers }) => headers['quittance-revision']);
    expect(revisions).toEqual(['2', '2']);
  });

  it('takes part in what it is ordered by from then on', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    const became = handleAll(dispatcher, ['a', 'b', 'c']);
    await pass();
    dispatcher.requests[0]!.answer(REFUSED());
    await pass(1000);
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a']);
    dispatcher.put({ delivery: { ordering: 'none' } });
    await pass(300);
    expect(became).toEqual(['a deliveries.retry.5s.v1##2']);
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('goes to its schedule when its order stopped counting during an attempt', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    const became = handleAll(dispatcher, ['a', 'b']);
    await pass();
    dispatcher.put({ delivery: { ordering: 'none' } });
    await pass(300);
    dispatcher.requests[0]!.answer(REFUSED());
    await pass();
    expect(became).toEqual(['a attempted deliveries.retry.5s.v1##2']);
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('a partition that is given up', () => {
  it('leaves to the next owner what its last attempts have taught', async () => {
    const dispatcher = await TestDispatcher.open();
    const became = handleAll(dispatcher, ['a']);
    await pass();
    dispatcher.assignment.drain();
    const gone = { verdict: 'gone', status: 410, error: { code: 'gone', message: 'Gone.' } } as const;
    dispatcher.requests[0]!.answer({ ...REFUSED(), ...gone });
    await pass();
    expect(became).toEqual(['a dead']);
    expect(dispatcher.saved.at(-1)?.stopped).toMatchObject({ code: 'gone' });
  });

  it('loses no attempt of the count in strict order', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    const became = handleAll(dispatcher, ['a']);
    await pass();
    dispatcher.assignment.drain();
    dispatcher.requests[0]!.answer(REFUSED());
    await pass();
    expect(became).toEqual(['a given back']);
    dispatcher.assignment.end();
    dispatcher.assignment = new TestAssignment();
    handleAll(dispatcher, ['a']);
    await pass(6000);
    expect(dispatcher.requests.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('saves nothing any more once it is somebody else’s', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    handleAll(dispatcher, ['a']);
    await pass();
    dispatcher.assignment.end();
    dispatcher.requests[0]!.answer(REFUSED());
    await pass();
    expect(dispatcher.saved).toEqual([]);
  });
});

describe('a subscription that is stopped', () => {
  it('is known to be before anything is said of the deliveries that failed meanwhile', async () => {
    const dispatcher = await TestDispatcher.open();
    const became = handleAll(dispatcher, ['a', 'b']);
    await pass();
    dispatcher.isKafkaDown = true;
    dispatcher.requests[0]!.answer({ ...REFUSED(), verdict: 'gone', status: 410 });
    dispatcher.requests[1]!.answer(REFUSED());
    await pass(1000);
    expect(became).toEqual([]);
    dispatcher.isKafkaDown = false;
    await pass(1000);
    expect(became.toSorted()).toEqual(['a dead', 'b dead']);
  });
});

describe('in strict order', () => {
  it('keeps its order also when a later delivery waits for the configuration while the guard is made', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    handleAll(dispatcher, ['a', 'b']);
    void dispatcher.handle('c', 2, { revision: 3 });
    await pass();
    dispatcher.put(strict);
    dispatcher.put(strict);
    for (let n = 0; n < 3; n++) {
      await pass();
      dispatcher.requests[n]!.answer(DELIVERED());
    }
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('waits for no longer than the longest step, whatever is asked for: a whole partition waits', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    handleAll(dispatcher, ['a']);
    await pass();
    const began = Date.now();
    dispatcher.requests[0]!.answer({ ...REFUSED(), status: 429, retryAfterMs: 7 * 86_400_000 });
    await pass();
    expect(dispatcher.saved.at(-1)!.head!.dueAt - began).toBe(86_400_000);
  });

  it('a delivery that is skipped keeps its count until that is on record', async () => {
    const facts = { delivery: { ordering: 'strict', whenExhausted: 'skip' } } as const;
    const dispatcher = await TestDispatcher.open(facts);
    dispatcher.teach({ head: { deliveryId: 'a', attempt: 9, dueAt: 0 } });
    const handled = dispatcher.handle('a', 0);
    await pass();
    dispatcher.requests[0]!.answer(REFUSED());
    expect(await handled).toBe('dead');
    dispatcher.assignment.end();
    dispatcher.assignment = new TestAssignment();
    void dispatcher.handle('a', 0);
    await pass();
    expect(dispatcher.requests.map(({ attempt }) => attempt)).toEqual([9, 9]);
  });

  it('a delivery that was skipped begins anew when it is sent again', async () => {
    const facts = { delivery: { ordering: 'strict', whenExhausted: 'skip' } } as const;
    const dispatcher = await TestDispatcher.open(facts);
    dispatcher.guards.onApplicationBootstrap();
    dispatcher.teach({ head: { deliveryId: 'a', attempt: 9, dueAt: 0 } });
    const handled = dispatcher.handle('a', 0);
    await pass();
    dispatcher.requests[0]!.answer(REFUSED());
    expect(await handled).toBe('dead');
    await pass(10_000);
    expect(dispatcher.saved.at(-1)?.head).toBeUndefined();
    dispatcher.assignment.end();
    dispatcher.assignment = new TestAssignment();
    void dispatcher.handle('a', 1, { replay: true });
    await pass();
    expect(dispatcher.requests.map(({ attempt }) => attempt)).toEqual([9, 1]);
    dispatcher.guards.beforeApplicationShutdown();
  });

  it('nothing passes a delivery that could not be tried', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    const became = handleAll(dispatcher, ['a', 'b']);
    await pass();
    dispatcher.requests[0]!.fail(new TypeError('Our own fault'));
    await pass(1000);
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a']);
    void dispatcher.handle('a', 0);
    await pass();
    dispatcher.requests[1]!.answer(DELIVERED());
    await pass();
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a', 'a', 'b']);
    expect(became).toEqual(['a TypeError: Our own fault']);
  });

  it('a second record of a delivery waits until the first one is through', async () => {
    const dispatcher = await TestDispatcher.open(strict);
    handleAll(dispatcher, ['a', 'a', 'b']);
    await pass();
    dispatcher.requests[0]!.answer(REFUSED());
    await pass(1000);
    expect(dispatcher.requests).toHaveLength(1);
    await pass(5000);
    dispatcher.requests[1]!.answer(DELIVERED());
    await pass();
    expect(dispatcher.requests.map(({ id, attempt }) => `${id}${attempt}`)).toEqual(['a1', 'a2', 'a1']);
  });

  it('the new home begins when the old one is drained, and knows what that has learnt', async () => {
    const move = { id: 'm1', from: 5, startedAt: 0 };
    const dispatcher = await TestDispatcher.open(strict, { partition: 3, move });
    const became = handleAll(dispatcher, ['a', 'b']);
    await pass(60_000);
    expect(dispatcher.requests).toEqual([]);
    const stopped = { kind: 'suspended', at: 1, code: 'halted', reason: 'The last attempt failed.' } as const;
    dispatcher.teach({ stopped, drained: 'm1' });
    await pass();
    expect(became).toEqual(['a held', 'b held']);
  });
});

describe('a probe', () => {
  it('is known of while it is out, so that nobody brings back meanwhile what would be put off again', async () => {
    const dispatcher = await TestDispatcher.open();
    const breaker = { since: Date.now() - 10_000, until: Date.now() - 1, openings: 2 };
    dispatcher.teach({ breaker });
    handleAll(dispatcher, ['a', 'b']);
    await pass();
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a']);
    expect(dispatcher.saved.at(-1)?.breaker).toMatchObject({ since: breaker.since, probing: true });
    expect(dispatcher.saved.at(-1)!.breaker!.until).toBeGreaterThan(Date.now() + 14_000);
    dispatcher.requests[0]!.answer(DELIVERED());
    await pass();
    expect(dispatcher.saved.at(-1)?.breaker).toBeUndefined();
    expect(dispatcher.requests.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});
