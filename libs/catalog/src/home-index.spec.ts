import { DEFAULT_LADDER, type SubscriptionStatus } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { MemoryConfigSource, subscriptionOf } from './catalogue.fixture.js';
import { Catalogue } from './catalogue.js';

async function open() {
  const source = new MemoryConfigSource();
  const catalogue = new Catalogue({ source, stalenessMs: 200, ladder: DEFAULT_LADDER });
  await catalogue.start();
  return {
    catalogue,
    put: (name: string, status: Partial<SubscriptionStatus>, namespace = 'shop', events = ['*']) => {
      const resource = subscriptionOf(name, { events }, namespace);
      source.put({ change: 'put', resource: { ...resource, status: { ...resource.status, ...status } } });
    },
    remove: (name: string, namespace = 'shop') =>
      source.put({ change: 'delete', kind: 'Subscription', namespace, name }),
    at: (partition: number) =>
      [...catalogue.subscriptionsAt(partition)].map(({ resource: { metadata } }) => metadata.name).sort(),
  };
}

const move = (from: number) => ({ id: 'move-1', from, startedAt: 0 });

describe('the index of home partitions', () => {
  it('knows who shares a partition, whatever the namespace', async () => {
    const { put, at } = await open();
    put('billing', { partition: 1 });
    put('mail', { partition: 1 }, 'bank');
    put('stock', { partition: 2 });
    expect([at(0), at(1), at(2)]).toEqual([[], ['billing', 'mail'], ['stock']]);
  });

  it('has a subscription that is being moved at both homes, until the move is over', async () => {
    const { put, at } = await open();
    put('billing', { partition: 1 });
    put('billing', { partition: 2, move: move(1) });
    expect([at(1), at(2)]).toEqual([['billing'], ['billing']]);
    put('billing', { partition: 2 });
    expect([at(1), at(2)]).toEqual([[], ['billing']]);
  });

  it('has it once when it is moved to where it is', async () => {
    const { put, remove, at } = await open();
    put('billing', { partition: 1, move: move(1) });
    expect(at(1)).toEqual(['billing']);
    remove('billing');
    expect(at(1)).toEqual([]);
  });

  it('forgets deleted subscriptions, those that were being moved too', async () => {
    const { put, remove, at } = await open();
    put('billing', { partition: 2, move: move(1) });
    put('mail', { partition: 1 });
    remove('billing');
    expect([at(1), at(2)]).toEqual([['mail'], []]);
    remove('mail');
    expect(at(1)).toEqual([]);
  });

  it('has the present version of a subscription that changed', async () => {
    const { catalogue, put } = await open();
    put('billing', { partition: 1 });
    put('billing', { partition: 1 }, 'shop', ['order.*']);
    const [known, ...others] = catalogue.subscriptionsAt(1);
    expect(known?.resource.spec.events).toEqual(['order.*']);
    expect(others).toEqual([]);
  });
});

describe('the subscriptions of all namespaces', () => {
  it('are those that were not deleted', async () => {
    const { catalogue, put, remove } = await open();
    put('billing', {});
    put('billing', {}, 'bank');
    put('mail', {});
    remove('mail');
    const names = [...catalogue.allSubscriptions()].map(({ resource: { metadata } }) => metadata.namespace);
    expect(names.sort()).toEqual(['bank', 'shop']);
  });
});
