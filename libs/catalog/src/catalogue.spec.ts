import { DEFAULT_LADDER } from '@quittance/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { apiKeyOf, eventTypeOf, MemoryConfigSource, subscriptionOf } from './catalogue.fixture.js';
import { Catalogue, CatalogueBehindError, type CatalogueProblem } from './catalogue.js';
import { celEvent } from './cel.js';

const event = celEvent({ id: 'e1', source: '/s', type: 'order.a', extensions: {} }, { value: {}, bytes: 2 });

function open() {
  const source = new MemoryConfigSource();
  const problems: CatalogueProblem[] = [];
  const catalogue = new Catalogue({
    source,
    stalenessMs: 200,
    ladder: DEFAULT_LADDER,
    onProblem: (problem) => problems.push(problem),
  });
  return { source, catalogue, problems };
}

const put = (source: MemoryConfigSource, name: string, spec: Record<string, unknown>) =>
  source.put({ change: 'put', resource: subscriptionOf(name, { events: ['order.*'], ...spec }) });

const problemOf = (promise: Promise<void>): Promise<unknown> => promise.catch((error: unknown) => error);

describe('the catalogue', () => {
  it('is ready once everything was read, a snapshot marker included', async () => {
    const { source, catalogue } = open();
    put(source, 'billing', {});
    await catalogue.start();
    expect(catalogue.ready).toBe(false);
    source.put({ change: 'snapshot', at: '2026-01-01T00:00:00Z' });
    expect(catalogue.ready).toBe(true);
    expect(catalogue.revision).toBe(1);
  });

  it('knows what stood in the topic, its latest version only', async () => {
    const { source, catalogue, problems } = open();
    put(source, 'billing', { filter: 'nonsense(' });
    put(source, 'mail', {});
    put(source, 'billing', { filter: 'true' });
    source.put({ change: 'delete', kind: 'Subscription', namespace: 'shop', name: 'mail' });
    await catalogue.start();
    expect(catalogue.subscriptionsFor('shop', 'order.a').map(({ name }) => name)).toEqual(['billing']);
    expect(catalogue.subscription('shop', 'mail')).toBeUndefined();
    expect(catalogue.subscriptionsFor('elsewhere', 'order.a')).toEqual([]);
    expect(problems).toEqual([]);
    expect(catalogue.revision).toBe(3);
  });

  it('says when the last record of a subscription cannot be read, until another one can', async () => {
    const { source, catalogue } = open();
    const later = (name: string) =>
      source.write(Buffer.from(`Subscription/shop/${name}`), Buffer.from('{"kind":"Subscription"}'));
    put(source, 'billing', {});
    later('billing');
    later('new');
    await catalogue.start();
    const readable = () =>
      ['billing', 'new', 'other'].map((name) => catalogue.isSubscriptionReadable('shop', name));
    expect(readable()).toEqual([false, false, true]);
    put(source, 'billing', {});
    later('other');
    source.put({ change: 'delete', kind: 'Subscription', namespace: 'shop', name: 'new' });
    expect(readable()).toEqual([true, true, false]);
  });

  it('is at no revision in the middle of its first reading, where a later version of a resource is still to come', async () => {
    const { source, catalogue } = open();
    put(source, 'billing', {});
    for (let n = 0; n < 150; n++) put(source, `other-${n}`, {});
    put(source, 'billing', { filter: 'true' });
    const started = catalogue.start();
    await catalogue.whenAt(50, 5000);
    expect(catalogue.subscription('shop', 'billing')).toBeDefined();
    await started;
  });

  it('follows changes while it runs', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    put(source, 'billing', { filter: 'false' });
    expect(catalogue.subscription('shop', 'billing')?.filter(event)).toMatchObject({ matched: false });
    put(source, 'billing', { events: ['payment.*'] });
    expect(catalogue.subscriptionsFor('shop', 'order.a')).toEqual([]);
    expect(catalogue.subscriptionsFor('shop', 'payment.a')).toHaveLength(1);
    source.put({ change: 'delete', kind: 'Subscription', namespace: 'shop', name: 'billing' });
    expect(catalogue.subscriptionsFor('shop', 'payment.a')).toEqual([]);
  });

  it('validates with the latest version of an event type', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    source.put({ change: 'put', resource: eventTypeOf('order.a', { type: 'object' }) });
    expect(catalogue.eventType('shop', 'order.a')?.version()?.validate([])).toEqual([
      { path: '', message: 'must be object' },
    ]);
    expect(catalogue.eventType('shop', 'order.b')).toBeUndefined();
  });

  it('forgets the old id of a key that changed', async () => {
    const { source, catalogue } = open();
    await catalogue.start();
    source.put({ change: 'put', resource: apiKeyOf('checkout', { id: 'a', sha256: '00' }) });
    source.put({ change: 'put', resource: apiKeyOf('checkout', { id: 'b', sha256: '00' }) });
    expect(catalogue.apiKey('a')).toBeUndefined();
    expect(catalogue.apiKey('b')?.resource.metadata.name).toBe('checkout');
    source.put({ change: 'delete', kind: 'ApiKey', namespace: 'shop', name: 'checkout' });
    expect(catalogue.apiKey('b')).toBeUndefined();
  });
});

describe('a record that cannot be used', () => {
  it('leaves the last good version of its resource in force', async () => {
    const { source, catalogue, problems } = open();
    await catalogue.start();
    put(source, 'billing', { filter: 'true' });
    put(source, 'billing', { filter: 'event.data >' });
    source.write(Buffer.from('Subscription/shop/billing'), Buffer.from('{"kind":"Subscription"}'));
    source.write(Buffer.from('Subscription/shop/billing'), Buffer.from('not json'));
    expect(catalogue.subscription('shop', 'billing')?.filter(event)).toEqual({ matched: true });
    expect(problems.map(({ key, offset }) => [key, offset])).toEqual([
      ['Subscription/shop/billing', 1n],
      ['Subscription/shop/billing', 2n],
      ['Subscription/shop/billing', 3n],
    ]);
    expect(catalogue.invalidRecords).toBe(3);
    expect(catalogue.revision).toBe(3);
  });

  it('is not forgotten when no good version is known: it skips every event, with the reason', async () => {
    const { source, catalogue } = open();
    put(source, 'billing', { filter: 'event.data >' });
    await catalogue.start();
    const [subscription] = catalogue.subscriptionsFor('shop', 'order.a');
    expect(subscription?.filter(event)).toMatchObject({
      matched: false,
      code: 'filter_error',
      reason: expect.stringContaining('Unexpected token'),
    });
  });

  it('is passed over when a later release wrote its kind', async () => {
    const { source, catalogue, problems } = open();
    await catalogue.start();
    source.write(Buffer.from('Gateway/shop/front'), Buffer.from('{"kind":"Gateway"}'));
    expect(catalogue.revision).toBe(0);
    expect(problems).toEqual([]);
  });
});

describe('waiting for the catalogue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('costs no timer when the revision is already there', async () => {
    const { source, catalogue } = open();
    await Promise.all([catalogue.start(), vi.runAllTimersAsync()]);
    put(source, 'billing', {});
    await catalogue.whenAt(0, 1000);
    await catalogue.whenFresh(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with the revision that was waited for, in any order of asking', async () => {
    const { source, catalogue } = open();
    await Promise.all([catalogue.start(), vi.runAllTimersAsync()]);
    const reached: number[] = [];
    for (const revision of [2, 0, 1, 0]) {
      void catalogue.whenAt(revision, 1000).then(() => reached.push(revision));
    }
    put(source, 'a', {});
    await vi.advanceTimersByTimeAsync(1);
    expect(reached).toEqual([0, 0]);
    put(source, 'b', {});
    put(source, 'c', {});
    await vi.advanceTimersByTimeAsync(1);
    expect(reached).toEqual([0, 0, 1, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends with a retryable error when the revision does not come', async () => {
    const { catalogue } = open();
    const waiting = problemOf(catalogue.whenAt(5, 100));
    await vi.advanceTimersByTimeAsync(100);
    expect(await waiting).toMatchObject({ code: 'catalogue_behind', retryable: true });
  });

  it('holds callers while the last fetch began too long ago', async () => {
    const { source, catalogue } = open();
    source.confirmedAt = 0;
    expect(catalogue.isFresh()).toBe(false);
    const fresh = vi.fn<() => void>();
    void catalogue.whenFresh(1000).then(fresh);
    await vi.advanceTimersByTimeAsync(50);
    expect(fresh).not.toHaveBeenCalled();
    source.confirmedAt = performance.now();
    await vi.advanceTimersByTimeAsync(50);
    expect(fresh).toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(catalogue.isFresh()).toBe(false);
    const late = problemOf(catalogue.whenFresh(100));
    await vi.advanceTimersByTimeAsync(110);
    expect(await late).toBeInstanceOf(CatalogueBehindError);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when the service shuts down', async () => {
    const { catalogue } = open();
    const waiting = problemOf(catalogue.whenAt(5, 100_000));
    await catalogue.close();
    expect(await waiting).toBeInstanceOf(CatalogueBehindError);
    expect(vi.getTimerCount()).toBe(0);
  });
});
