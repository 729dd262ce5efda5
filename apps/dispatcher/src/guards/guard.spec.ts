import { NotStartedError } from '@quittance/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Admission, Turn } from './admission.js';
import {
  admitAll,
  delivery,
  go,
  guarded,
  passes,
  REFUSAL,
  subscriptionWith,
  SUCCESS,
} from './guard.fixture.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

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

  it('lets what waits find out anew when its subscription is not here any more', async () => {
    const { guard, world } = guarded({ paused: true });
    const became = admitAll(guard, ['a', 'b']);
    await passes(0);
    world.present = undefined;
    await passes(300);
    expect([...became.values()]).toEqual([{ kind: 'anew' }, { kind: 'anew' }]);
    expect(guard.isIdle).toBe(true);
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
