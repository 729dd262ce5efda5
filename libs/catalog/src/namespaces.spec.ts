import { DEFAULT_LADDER, DEFAULT_NAMESPACE, type Resource } from '@quittance/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  apiKeyOf,
  eventTypeOf,
  MemoryConfigSource,
  namespaceOf,
  sourceOf,
  subscriptionOf,
} from './catalogue.fixture.js';
import { Catalogue, type CatalogueProblem } from './catalogue.js';

let source: MemoryConfigSource;
let catalogue: Catalogue;
let problems: CatalogueProblem[];

beforeEach(async () => {
  source = new MemoryConfigSource();
  problems = [];
  const onProblem = (problem: CatalogueProblem) => problems.push(problem);
  catalogue = new Catalogue({ source, stalenessMs: 200, ladder: DEFAULT_LADDER, onProblem });
  await catalogue.start();
});

const put = (resource: Resource) => source.put({ change: 'put', resource });
const remove = ({ kind, metadata: { namespace, name } }: Resource) =>
  source.put({ change: 'delete', kind, namespace, name });

describe('a namespace', () => {
  it('has the defaults until it is described, and again when that is over', () => {
    expect(catalogue.namespace('shop')).toEqual(DEFAULT_NAMESPACE);
    put(namespaceOf('shop', { catalog: { policy: 'open' }, limits: { eventPartitions: 7 } }));
    expect(catalogue.namespace('shop')).toMatchObject({
      catalog: { policy: 'open' },
      limits: { eventPartitions: 7 },
    });
    expect(catalogue.namespace('other')).toEqual(DEFAULT_NAMESPACE);
    remove(namespaceOf('shop'));
    expect(catalogue.namespace('shop')).toEqual(DEFAULT_NAMESPACE);
  });

  it('says when its description cannot be read, until another one can', () => {
    put(namespaceOf('shop', { retention: { events: '90d' } }));
    expect(catalogue.isNamespaceReadable('shop')).toBe(true);
    const later = { ...namespaceOf('shop'), spec: { retention: { events: '400d' }, invented: 'later' } };
    source.write(Buffer.from('Namespace/shop/shop'), Buffer.from(JSON.stringify(later)));
    expect(problems).toHaveLength(1);
    expect(catalogue.isNamespaceReadable('shop')).toBe(false);
    expect(catalogue.isNamespaceReadable('other')).toBe(true);
    expect(catalogue.namespace('shop').retention.events).toBe('90d');
    put(namespaceOf('shop'));
    expect(catalogue.isNamespaceReadable('shop')).toBe(true);
  });

  const members: Resource[] = [
    namespaceOf('shop'),
    eventTypeOf('same-name', true),
    subscriptionOf('same-name', { events: ['*'] }),
    sourceOf('same-name', {}),
    apiKeyOf('same-name', { id: 'a', sha256: '00' }),
  ];

  it.each(members)('is known while something is there: %#', (resource) => {
    expect(catalogue.knowsNamespace('shop')).toBe(false);
    put(resource);
    put(resource);
    expect(catalogue.knowsNamespace('shop')).toBe(true);
    expect(catalogue.knowsNamespace('shop2')).toBe(false);
    remove(resource);
    expect(catalogue.knowsNamespace('shop')).toBe(false);
    remove(resource);
    put(resource);
    expect(catalogue.knowsNamespace('shop')).toBe(true);
  });

  it('is known until the last of several things is gone', () => {
    for (const resource of members) put(resource);
    for (const resource of members) {
      expect(catalogue.knowsNamespace('shop')).toBe(true);
      remove(resource);
    }
    expect(catalogue.knowsNamespace('shop')).toBe(false);
  });

  it('is known for something in it that cannot be used', () => {
    put(sourceOf('stripe', { type: { expression: 'nonsense' } }));
    expect(catalogue.knowsNamespace('shop')).toBe(true);
  });

  it('is not known for the revocation of a key that is gone', () => {
    const revocation = { namespace: 'shop', name: 'a', uid: 'u', revokedAt: '', actor: 'admin' };
    source.put({ change: 'revoke', revocation });
    expect(catalogue.knowsNamespace('shop')).toBe(false);
  });
});

describe('a source', () => {
  const request = { headers: {}, body: 'x', query: {}, bodyBytes: 1 };
  const typeOf = (name: string) => catalogue.source('shop', name)?.type?.(request);

  it('is found under its name, as it was last put', () => {
    put(sourceOf('stripe', { type: { value: 'a' } }));
    put(sourceOf('stripe', { type: { value: 'b' } }));
    expect(typeOf('stripe')).toEqual({ ok: true, value: 'b' });
    expect(catalogue.source('other', 'stripe')).toBeUndefined();
    remove(sourceOf('stripe', {}));
    expect(catalogue.source('shop', 'stripe')).toBeUndefined();
  });

  it('keeps its last good version when the next one does not compile', () => {
    put(sourceOf('stripe', { type: { value: 'a' } }));
    put(sourceOf('stripe', { type: { expression: 'nonsense' } }));
    expect(typeOf('stripe')).toEqual({ ok: true, value: 'a' });
    expect(problems).toEqual([
      { key: 'Source/shop/stripe', offset: 1n, message: expect.stringContaining('nonsense') as string },
    ]);
  });

  it.each([
    ['nothing', undefined],
    ['another source of its name', 'another-uid'],
  ])('fails with the reason when %s was there before', (_what, uid) => {
    if (uid !== undefined) put(sourceOf('stripe', { type: { value: 'a' } }, uid));
    put(sourceOf('stripe', { type: { expression: 'nonsense' } }));
    expect(typeOf('stripe')).toEqual({
      ok: false,
      reason: expect.stringContaining('Unknown variable: nonsense') as string,
    });
  });
});

describe('an event type', () => {
  const validate = () => catalogue.eventType('shop', 'order.a')?.version()?.validate('text');

  it('keeps its last good version when the next one does not compile, but not that of another uid', () => {
    const unusable = eventTypeOf('order.a', { typ: 'object' });
    put(eventTypeOf('order.a', { type: 'string' }));
    put(unusable);
    expect(validate()).toEqual([]);
    put({ ...unusable, metadata: { ...unusable.metadata, uid: 'another-uid' } });
    expect(validate()).toEqual([
      { path: '', message: expect.stringContaining('unknown keyword: "typ"') as string },
    ]);
  });
});
