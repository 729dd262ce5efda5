import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Turn } from './admission.js';
import {
  admitAll,
  delivery,
  go,
  guarded,
  open,
  OUTAGE,
  passes,
  REFUSAL,
  SETTINGS,
  subscriptionWith,
  SUCCESS,
  UNMADE,
} from './guard.fixture.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Guard, when the subscriber does not answer', () => {
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

  it('is not delayed by what the former server asked for after it was replaced', () => {
    const { guard } = guarded();
    const early = go(guard);
    guard.refresh(subscriptionWith({ url: 'http://127.0.0.1:10/' }));
    guard.settle(early, { ...REFUSAL, retryAfterMs: 200_000 });
    expect(guard.admit(delivery('a'))).toMatchObject({ kind: 'go' });
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
});
