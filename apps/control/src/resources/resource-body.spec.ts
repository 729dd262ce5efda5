import { DEFAULT_LADDER, Problem } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { kindNamed } from './kinds.js';
import { parseResource } from './resource-body.js';

const subscription = { kind: kindNamed('Subscription'), namespace: 'shop', name: 'billing' };
const spec = { events: ['order.*'], destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } } };

function faultsOf(body: unknown, address = subscription): string[] {
  try {
    parseResource(address, body, DEFAULT_LADDER);
    return [];
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_resource') throw error;
    return (error.extensions['errors'] as { path: string }[]).map(({ path }) => path);
  }
}

describe('the body of a PUT', () => {
  it('gets the defaults of its kind', () => {
    expect(parseResource(subscription, { spec }, DEFAULT_LADDER).spec).toMatchObject({
      format: 'standard',
      destination: { webhook: { timeout: '15s' } },
      delivery: { concurrency: 32 },
    });
  });

  it('may be what a GET answered', () => {
    const body = {
      apiVersion: 'quittance.dev/v1',
      kind: 'Subscription',
      metadata: { name: 'billing', namespace: 'shop', uid: 'u', generation: 1, resourceVersion: '7' },
      spec,
      status: { state: 'active', partition: 1, conditions: [] },
    };
    expect(parseResource(subscription, body, DEFAULT_LADDER)).toMatchObject({
      uid: 'u',
      resourceVersion: '7',
    });
  });

  it('is told everything that is wrong, with where it stands', () => {
    expect(faultsOf(undefined)).toEqual(['']);
    expect(faultsOf({ spec: { ...spec, events: [], colour: 'red' } })).toEqual(['/spec/events', '/spec']);
    expect(faultsOf({ metadata: { name: 'other', labels: { a: 'ü' } }, spec })).toEqual([
      '/metadata/name',
      '/metadata/labels/a',
    ]);
    expect(faultsOf({ spec: { ...spec, filter: 'event.data.total >' } })).toEqual(['/spec/filter']);
    expect(faultsOf({ spec: { ...spec, delivery: { retry: { schedule: ['5s', '1w'] } } } })).toEqual([
      '/spec/delivery/retry/schedule/1',
    ]);
  });

  it('must have an address that a resource can have', () => {
    expect(faultsOf({ spec }, { ...subscription, namespace: 'Shop', name: 'a/b' })).toEqual([
      '/metadata/namespace',
      '/metadata/name',
    ]);
    const reserved = { kind: kindNamed('EventType'), namespace: 'shop', name: 'quittance.mine' };
    expect(faultsOf({ spec: {} }, reserved)).toEqual(['/metadata/name']);
  });

  it('has secrets beside its spec where the kind takes some, and nowhere else', () => {
    const source = { kind: kindNamed('Source'), namespace: 'shop', name: 'stripe' };
    const body = { spec: { verify: { type: 'stripe' } }, secrets: { verify: ['whsec_12345678'] } };
    expect(parseResource(source, body, DEFAULT_LADDER).secrets).toEqual({ verify: ['whsec_12345678'] });
    expect(faultsOf({ ...body, secrets: { verify: ['short'], other: 1 } }, source)).toEqual([
      '/secrets/verify/0',
      '/secrets',
    ]);
    expect(faultsOf({ spec, secrets: { verify: ['whsec_12345678'] } })).toEqual(['']);
  });

  it('must be something that the database can hold', () => {
    expect(faultsOf({ spec: { ...spec, description: 'a\0b' } })).toEqual(['/spec/description']);
    expect(faultsOf({ spec: { ...spec, description: '\ud800' } })).toEqual(['/spec/description']);
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown;
    expect(faultsOf({ spec: deep })).toHaveLength(1);
  });
});
