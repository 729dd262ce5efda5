import { NotStartedError } from '@quittance/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { delivery, guarded, SETTINGS, subscriptionWith } from './guard.fixture.js';
import type { Admission, Ending, Turn } from './admission.js';
import type { Guard } from './guard.js';

const OUTAGE: Ending = {
  verdict: 'failed',
  durationMs: 5,
  failure: { deliveryId: 'd', code: 'timeout', message: 'No answer.', status: null, isOutage: true },
};
const REFUSAL: Ending = {
  ...OUTAGE,
  failure: { ...OUTAGE.failure, code: 'http_status', status: 400, isOutage: false },
};
/** The request could not be made: nobody knows how the subscriber is. */
const UNMADE: Ending = {
  ...OUTAGE,
  failure: { ...OUTAGE.failure, code: 'address_blocked', isOutage: false },
};
const SUCCESS: Ending = { verdict: 'success', durationMs: 5 };

/** What became of each of several records, as it becomes of them. */
function admitAll(guard: Guard, ids: readonly string[]): Map<string, Admission | Error> {
  const became = new Map<string, Admission | Error>();
  for (const id of ids) {
    void Promise.resolve()
      .then(() => guard.admit(delivery(id)))
      .then(
        (admission) => became.set(id, admission),
        (error: Error) => became.set(id, error),
      );
  }
  return became;
}

function go(guard: Guard, id = 'd'): Turn {
  const admission = guard.admit(delivery(id));
  if (admission instanceof Promise || admission.kind !== 'go') throw new Error('It was not admitted.');
  return admission;
}

function open(guard: Guard): void {
  for (let n = 0; n < SETTINGS.breaker.failures; n++) guard.settle(go(guard), OUTAGE);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('Guard', () => {
  it('lets as many in as the concurrency says, and the others in their order', async () => {
    const { guard } = guarded({ delivery: { concurrency: 2 } });
    const became = admitAll(guard, ['a', 'b', 'c', 'd']);
    await passes(0);
    expect([...became.keys()]).toEqual(['a', 'b']);
    guard.settle(became.get('a') as Turn, SUCCESS);
    await passes(0);
    expect([...became.keys()]).toEqual(['a', 'b', 'c']);
  });

  it('takes a raised concurrency over at once', async () => {
    const { guard, world } = guarded({ delivery: { concurrency: 1 } });
    const became = admitAll(guard, ['a', 'b', 'c']);
    await passes(0);
    world.present = subscriptionWith({ delivery: { concurrency: 3 } });
    guard.refresh(world.present);
    await passes(0);
    expect(became.size).toBe(3);
  });

  it('keeps to the rate', async () => {
    const { guard } = guarded({ delivery: { rateLimit: { rate: 10 } } });
    const became = admitAll(
      guard,
      Array.from({ length: 30 }, (_, n) => String(n)),
    );
    await passes(1000);
    expect(became.size).toBeGreaterThanOrEqual(10);
    expect(became.size).toBeLessThanOrEqual(12);
    await passes(2000);
    expect(became.size).toBe(30);
  });

  it('lets the next go also when its turn comes while it is looked for', async () => {
    const { guard } = guarded({ delivery: { rateLimit: { rate: 10 } } });
    await passes(1000);
    go(guard);
    go(guard);
    const began = performance.now();
    // One moment it has to wait, and the next it has not: each look at the clock shows another time.
    const clock = vi.spyOn(performance, 'now');
    clock.mockReturnValueOnce(began + 99.999).mockReturnValueOnce(began + 100.001);
    const admitted = vi.fn<(admission: Admission) => void>();
    void Promise.resolve(guard.admit(delivery('c'))).then(admitted);
    clock.mockRestore();
    await passes(1000);
    expect(admitted).toHaveBeenCalledWith(expect.objectContaining({ kind: 'go' }));
  });

  it('keeps to the rate also when the clock is set back', async () => {
    const { guard } = guarded({ delivery: { rateLimit: { rate: 10 } } });
    admitAll(guard, ['a', 'b']);
    await passes(1000);
    vi.setSystemTime(Date.now() - 3_600_000);
    const became = admitAll(guard, ['c', 'd', 'e']);
    await passes(1000);
    expect(became.size).toBe(3);
  });

  describe('when the subscriber does not answer', () => {
    it('holds records back on a partition of its own, lets one probe through, and all after its answer', async () => {
      const { guard } = guarded();
      open(guard);
      const became = admitAll(guard, ['a', 'b', 'c']);
      await passes(500);
      expect(became.size).toBe(0);
      await passes(700);
      expect(became.get('a')).toMatchObject({ kind: 'go', isProbe: true });
      expect(became.size).toBe(1);
      await passes(60_000);
      expect(became.size).toBe(1);
      guard.settle(became.get('a') as Turn, SUCCESS);
      await passes(0);
      expect(became.get('c')).toMatchObject({ kind: 'go', isProbe: false });
    });

    it('puts records off on a shared partition, those that wait already too', async () => {
      const { guard, world } = guarded({ delivery: { concurrency: 3 } });
      world.shared = true;
      const turns = [go(guard), go(guard), go(guard)];
      const became = admitAll(guard, ['w1', 'w2', 'w3', 'w4']);
      await passes(0);
      expect(became.size).toBe(0);
      for (const turn of turns) guard.settle(turn, OUTAGE);
      await passes(0);
      expect(became.get('w2')).toMatchObject({ kind: 'go' });
      expect(became.get('w3')).toMatchObject({ kind: 'shunt' });
      expect(became.get('w4')).toMatchObject({ kind: 'shunt' });
      expect(guard.admit(delivery('late'))).toMatchObject({ kind: 'shunt' });
    });

    it('takes a refusal for an answer', () => {
      const { guard } = guarded();
      for (let n = 0; n < 20; n++) guard.settle(go(guard), REFUSAL);
      expect(guard.admit(delivery('next'))).toMatchObject({ kind: 'go', isProbe: false });
    });

    it('waits as long as it is told to', async () => {
      const { guard } = guarded();
      guard.settle(go(guard), { ...OUTAGE, retryAfterMs: 3000 });
      const became = admitAll(guard, ['a']);
      await passes(2900);
      expect(became.size).toBe(0);
      await passes(200);
      expect(became.size).toBe(1);
    });

    it('waits so, too, when requests that began before succeed', async () => {
      const { guard } = guarded();
      const turns = [go(guard), go(guard)];
      guard.settle(turns[0]!, { ...OUTAGE, retryAfterMs: 3000 });
      guard.settle(turns[1]!, SUCCESS);
      const became = admitAll(guard, ['a']);
      await passes(2900);
      expect(became.size).toBe(0);
    });

    it('learns nothing from requests that could not be made, and takes a probe for failed that could not', async () => {
      const { guard } = guarded();
      const turns = Array.from({ length: SETTINGS.breaker.failures }, () => go(guard));
      for (const turn of turns.slice(1)) guard.settle(turn, OUTAGE);
      guard.settle(go(guard), UNMADE);
      guard.settle(turns[0]!, OUTAGE);
      expect(guard.learnt.breaker.opened).toMatchObject({ openings: 1 });
      await passes(1100);
      expect(guard.settle(go(guard), UNMADE)).toBe(true);
      expect(guard.learnt.breaker.opened).toMatchObject({ openings: 2 });
      expect(guard.learnt.breaker.waitMs(Date.now())).toBeGreaterThan(1000);
    });

    it('says so when its probe was not made after all', async () => {
      const { guard } = guarded();
      open(guard);
      await passes(1100);
      const probe = go(guard);
      expect(guard.settle(probe, { verdict: 'aborted' })).toBe(true);
      expect(guard.learnt.breaker.opened?.probing).toBeUndefined();
    });

    it('suspends it after its hold, and lets only what is sent again try it', async () => {
      const { guard, world } = guarded();
      open(guard);
      const became = admitAll(guard, ['a']);
      await passes(1200);
      guard.settle(became.get('a') as Turn, OUTAGE);
      for (let waited = 0; waited <= SETTINGS.holdExclusiveMs; waited += 10_000) {
        const probe = admitAll(guard, [`probe-${waited}`]);
        await passes(10_000);
        for (const admission of probe.values()) {
          if ('kind' in admission && admission.kind === 'go') guard.settle(admission, OUTAGE);
        }
      }
      expect(guard.learnt.stopped).toMatchObject({ kind: 'suspended', code: 'unreachable' });
      expect(world.learnt).toBe(0);
      expect(guard.admit(delivery('new'))).toMatchObject({ kind: 'stopped' });
      await passes(SETTINGS.breaker.firstPauseMs);
      const probe = guard.admit(delivery('old', { replay: true }));
      expect(probe).toMatchObject({ kind: 'go', isProbe: true });
      expect(guard.admit(delivery('old2', { replay: true }))).toMatchObject({ kind: 'stopped' });
      expect(guard.settle(probe as Turn, SUCCESS)).toBe(true);
      expect(guard.admit(delivery('newer'))).toMatchObject({ kind: 'go' });
    });
  });

  it('is found alive by a refusal too: what is always refused must not keep the others waiting', () => {
    const at = Date.now();
    const { guard } = guarded(
      {},
      {
        namespace: 'shop',
        subscription: 'billing',
        uid: 'uid-1',
        activation: 1,
        at,
        stopped: { kind: 'suspended', at, code: 'unreachable', reason: 'No answer.' },
        breaker: { since: at - 5000, until: at, openings: 2 },
      },
    );
    const probe = guard.admit(delivery('old', { replay: true })) as Turn;
    expect(guard.settle(probe, REFUSAL)).toBe(true);
    expect(guard.learnt.stopped).toBeUndefined();
    expect(go(guard)).toMatchObject({ isProbe: false });
  });

  it('is not tried again at once by the next that is sent again when one has failed', async () => {
    const { guard } = guarded();
    open(guard);
    await passes(SETTINGS.holdExclusiveMs + 1000);
    guard.settle(go(guard), OUTAGE);
    await passes(SETTINGS.breaker.firstPauseMs);
    const again = (id: string) => guard.admit(delivery(id, { replay: true }));
    guard.settle(again('a') as Turn, OUTAGE);
    expect(again('b')).toMatchObject({ kind: 'stopped' });
    await passes(SETTINGS.breaker.firstPauseMs - 10);
    expect(again('c')).toMatchObject({ kind: 'stopped' });
    await passes(10);
    expect(again('d')).toMatchObject({ kind: 'go', isProbe: true });
  });

  describe('on a shared partition', () => {
    it('puts off those that came last when the subscriber becomes slow', async () => {
      const { guard, world } = guarded({ delivery: { concurrency: 1 } });
      world.shared = true;
      const became = admitAll(
        guard,
        Array.from({ length: 90 }, (_, n) => String(n)),
      );
      await passes(0);
      expect(became.size).toBe(1);
      guard.settle(became.get('0') as Turn, { verdict: 'success', durationMs: 10_000 });
      await passes(0);
      expect(became.get('1')).toMatchObject({ kind: 'go' });
      expect(became.get('2')).toBeUndefined();
      expect(became.get('89')).toMatchObject({ kind: 'shunt' });
      expect(became.size).toBeGreaterThan(80);
    });

    it('puts off what would wait too long for its rate, each until about its turn', () => {
      const { guard, world } = guarded({ delivery: { rateLimit: { rate: 1 } } });
      world.shared = true;
      const admissions = Array.from({ length: 50 }, (_, n) => guard.admit(delivery(String(n))));
      const shunts = admissions.filter((each) => !(each instanceof Promise) && each.kind === 'shunt');
      expect(shunts.length).toBeGreaterThan(40);
      const waits = shunts.map((each) => (each as { waitMs: number }).waitMs);
      expect(waits.at(-1)).toBeGreaterThan(40_000);
      expect(shunts.every((each) => !('blockedMs' in each))).toBe(true);
    });

    it('never puts off what is in strict order', () => {
      const { guard, world } = guarded({ delivery: { ordering: 'strict' }, paused: true });
      world.shared = true;
      expect(guard.admit(delivery('a'))).toBeInstanceOf(Promise);
    });
  });

  it('hears of a pause while the last of a backlog are under way', async () => {
    const { guard, world } = guarded({ delivery: { concurrency: 1 } });
    const became = admitAll(guard, ['a', 'b']);
    await passes(0);
    world.present = subscriptionWith({ delivery: { concurrency: 1 }, paused: true });
    guard.settle(became.get('a') as Turn, SUCCESS);
    await passes(1000);
    expect(became.size).toBe(1);
  });

  it('lets what waits find out anew when its subscription is not here any more', async () => {
    const { guard, world } = guarded({ paused: true });
    const became = admitAll(guard, ['a', 'b']);
    await passes(0);
    world.present = undefined;
    await passes(300);
    expect([...became.values()]).toEqual([{ kind: 'anew' }, { kind: 'anew' }]);
    expect(guard.isIdle).toBe(true);
  });

  it('sends nothing while paused, goes on when resumed, and is suspended after its hold', async () => {
    const { guard, world } = guarded({ paused: true });
    const became = admitAll(guard, ['a']);
    await passes(30_000);
    expect(became.size).toBe(0);
    world.present = subscriptionWith({ activation: 2 });
    await passes(300);
    expect(became.get('a')).toMatchObject({ kind: 'go' });
    world.present = subscriptionWith({ paused: true, activation: 2 });
    guard.refresh(world.present);
    const held = admitAll(guard, ['b']);
    await passes(SETTINGS.holdExclusiveMs + 1000);
    expect(held.get('b')).toMatchObject({ kind: 'stopped', stopped: { code: 'paused' } });
    expect(world.learnt).toBe(1);
  });

  it('disables what only fails for as long as is allowed', async () => {
    const { guard } = guarded();
    guard.settle(go(guard), REFUSAL);
    await passes(SETTINGS.disableAfterMs - 1000);
    guard.settle(go(guard), REFUSAL);
    expect(guard.learnt.stopped).toBeUndefined();
    await passes(2000);
    expect(guard.settle(go(guard), REFUSAL)).toBe(true);
    expect(guard.learnt.stopped).toMatchObject({ kind: 'disabled', code: 'failing' });
    expect(guard.admit(delivery('next', { replay: true }))).toMatchObject({ kind: 'stopped' });
  });

  it('disables what is suspended as unreachable and whose probes only fail', async () => {
    const { guard } = guarded();
    const began = Date.now();
    for (let n = 0; n < SETTINGS.breaker.failures; n++) guard.settle(go(guard), OUTAGE);
    await passes(SETTINGS.holdExclusiveMs + 1000);
    const probe = () => guard.admit(delivery('held', { replay: true })) as Turn;
    guard.settle(go(guard), OUTAGE);
    expect(guard.learnt.stopped).toMatchObject({ kind: 'suspended', code: 'unreachable' });
    await passes(began + SETTINGS.disableAfterMs - Date.now());
    expect(guard.settle(probe(), OUTAGE)).toBe(true);
    expect(guard.learnt.stopped).toMatchObject({ kind: 'disabled', code: 'failing' });
  });

  it('counts its failures anew after a success', async () => {
    const { guard } = guarded();
    guard.settle(go(guard), REFUSAL);
    await passes(SETTINGS.disableAfterMs - 1000);
    guard.settle(go(guard), SUCCESS);
    await passes(2000);
    guard.settle(go(guard), REFUSAL);
    expect(guard.learnt.stopped).toBeUndefined();
  });

  it('forgets what stopped it when somebody resumes it', () => {
    const { guard, world } = guarded();
    const { failure } = OUTAGE;
    const turns = [go(guard), go(guard)];
    guard.settle(turns[0]!, { ...OUTAGE, retryAfterMs: 200_000 });
    guard.settle(turns[1]!, { verdict: 'gone', durationMs: 1, failure });
    expect(guard.admit(delivery('a'))).toMatchObject({ kind: 'stopped', stopped: { code: 'gone' } });
    world.present = subscriptionWith({ activation: 2 });
    guard.refresh(world.present);
    expect(guard.admit(delivery('a'))).toMatchObject({ kind: 'go' });
  });

  it('tries another server at once', async () => {
    const { guard, world } = guarded();
    open(guard);
    const became = admitAll(guard, ['a']);
    await passes(1);
    world.present = subscriptionWith({ url: 'http://127.0.0.1:10/' });
    guard.refresh(world.present);
    await passes(1);
    expect(became.get('a')).toMatchObject({ kind: 'go' });
  });

  it('tells the others, too, that it is another server, which has not asked for time', () => {
    const { guard, world } = guarded();
    guard.settle(go(guard), { ...OUTAGE, retryAfterMs: 200_000 });
    guard.refresh(subscriptionWith({ url: 'http://127.0.0.1:10/' }));
    expect(world.learnt).toBe(1);
    expect(guard.admit(delivery('a'))).toMatchObject({ kind: 'go' });
  });

  it('takes for its probe nothing that began before it opened, or before somebody resumed it', async () => {
    const { guard } = guarded();
    const early = go(guard);
    open(guard);
    guard.settle(early, SUCCESS);
    expect(guard.learnt.breaker.opened).toMatchObject({ openings: 1 });
    await passes(1100);
    const probe = go(guard);
    guard.refresh(subscriptionWith({ activation: 2 }));
    open(guard);
    await passes(1100);
    go(guard);
    guard.settle(probe, OUTAGE);
    expect(guard.learnt.breaker.opened).toMatchObject({ openings: 1, probing: true });
  });

  describe('in strict order', () => {
    it('lets nobody pass the one that is tried, however often', async () => {
      const { guard } = guarded({ delivery: { ordering: 'strict' } });
      const turn = go(guard, 'a');
      guard.holdFor(1n);
      const others = admitAll(guard, ['b', 'c']);
      await passes(0);
      guard.settle(turn, REFUSAL);
      await passes(10_000);
      expect(others.size).toBe(0);
      expect(guard.admit(delivery('a'), 1n)).toMatchObject({ kind: 'go' });
      guard.settle(turn, SUCCESS);
      guard.letGo(1n);
      await passes(300);
      expect([...others.keys()]).toEqual(['b']);
    });

    it('waits until the next attempt is due', async () => {
      const { guard } = guarded({ delivery: { ordering: 'strict' } });
      guard.settle(go(guard, 'a'), REFUSAL);
      guard.holdFor(1n);
      guard.learnt.head = { deliveryId: 'a', attempt: 2, dueAt: Date.now() + 5000 };
      const again = guard.admit(delivery('a'), 1n) as Promise<Admission>;
      let admitted = false;
      void again.then(() => (admitted = true));
      await passes(4900);
      expect(admitted).toBe(false);
      await passes(300);
      expect(admitted).toBe(true);
    });

    it('halts until somebody resumes it', async () => {
      const { guard, world } = guarded({ delivery: { ordering: 'strict' } });
      guard.learnt.head = { deliveryId: 'a', attempt: 2, dueAt: 0, haltedAt: Date.now() };
      const became = admitAll(guard, ['a']);
      await passes(60_000);
      expect(became.size).toBe(0);
      world.present = subscriptionWith({ delivery: { ordering: 'strict' }, activation: 2 });
      await passes(300);
      expect(became.get('a')).toMatchObject({ kind: 'go' });
    });
  });

  it('gives back what waits when the assignment is over', async () => {
    const { guard, over } = guarded({ paused: true });
    const became = admitAll(guard, ['a', 'b']);
    await passes(0);
    over.abort();
    await passes(0);
    expect([...became.values()].every((each) => each instanceof NotStartedError)).toBe(true);
    expect(became.size).toBe(2);
    expect(() => guard.admit(delivery('c'))).toThrow(NotStartedError);
  });

  it('goes on where the owner before left it', () => {
    const now = Date.now();
    const { guard } = guarded(
      {},
      {
        namespace: 'shop',
        subscription: 'billing',
        uid: 'uid-1',
        activation: 1,
        at: now,
        breaker: { since: now - 5000, until: now + 5000, openings: 2 },
        failingSince: now - 100_000,
      },
    );
    expect(guard.admit(delivery('a'))).toBeInstanceOf(Promise);
    expect(guard.learnt.snapshot(guard.subscription.resource, now, 'move-1')).toMatchObject({
      breaker: { openings: 2 },
      failingSince: now - 100_000,
      drained: 'move-1',
    });
  });
});
