import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ending, Turn } from './admission.js';
import {
  admitAll,
  delivery,
  go,
  guarded,
  OUTAGE,
  passes,
  REFUSAL,
  SETTINGS,
  subscriptionWith,
  SUCCESS,
} from './guard.fixture.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Guard, when its subscription is stopped', () => {
  it('hears of a pause while the last of a backlog are under way', async () => {
    const { guard, world } = guarded({ delivery: { concurrency: 1 } });
    const became = admitAll(guard, ['a', 'b']);
    await passes(0);
    world.present = subscriptionWith({ delivery: { concurrency: 1 }, paused: true });
    guard.settle(became.get('a') as Turn, SUCCESS);
    await passes(1000);
    expect(became.size).toBe(1);
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

  it.each([
    ['the server was replaced', { url: 'http://127.0.0.1:10/' }],
    ['somebody resumed it', { activation: 2 }],
  ])('is not disabled by a 410 to what was asked before %s', (_what, change) => {
    const { guard } = guarded();
    const gone: Ending = { verdict: 'gone', durationMs: 1, failure: { ...REFUSAL.failure, status: 410 } };
    const early = go(guard);
    guard.refresh(subscriptionWith(change));
    guard.settle(early, gone);
    expect(guard.learnt.stopped).toBeUndefined();
    guard.settle(go(guard), gone);
    expect(guard.learnt.stopped).toMatchObject({ kind: 'disabled', code: 'gone' });
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
});
