import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ControlFixture } from './fixture.js';

const control = new ControlFixture({
  kafkaBrokers: inject('kafkaBrokers'),
  postgresAdminUrl: inject('postgresAdminUrl'),
});

beforeAll(async () => {
  await control.createDatabase();
  await control.setUp();
  await control.start();
  await control.untilReady();
});

afterAll(() => control.stop());

const keyOf = async (namespace: string, scope: string): Promise<string> =>
  (await control.put(`${namespace}/api-keys/${scope}`, { spec: { scopes: [scope] } })).body['key'] as string;

describe('a namespace', () => {
  it('is created, read, replaced and deleted like any resource, and published under its own name', async () => {
    const created = await control.put('team', { spec: { limits: { rateLimit: { rate: 100 } } } });
    expect(created).toMatchObject({
      status: 201,
      body: {
        kind: 'Namespace',
        metadata: { name: 'team', namespace: 'team', generation: 1 },
        spec: {
          limits: { rateLimit: { rate: 100 }, maxBodyBytes: 1_048_576, eventPartitions: 3 },
          catalog: { policy: 'strict' },
          retention: { events: '30d', rejections: '7d' },
        },
        status: { conditions: [{ type: 'Published', status: 'True' }] },
      },
    });
    expect((await control.get('team')).body).toEqual(created.body);
    expect((await control.changes()).at(-1)).toMatchObject({
      change: 'put',
      resource: { kind: 'Namespace', metadata: { name: 'team', namespace: 'team' } },
    });
    const replaced = await control.put('team', {
      ...created.body,
      spec: { catalog: { policy: 'open' } },
    });
    expect(replaced).toMatchObject({ status: 200, body: { metadata: { generation: 2 } } });
    expect(await control.put('team', created.body)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
    expect(await control.put('team', { spec: { retention: { events: '1h' } } })).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/spec/retention/events' }] },
    });
    expect(await control.put('Team', { spec: {} })).toMatchObject({ status: 422 });
    expect(await control.delete('team')).toMatchObject({
      status: 200,
      body: { spec: { catalog: { policy: 'open' } } },
    });
    expect(await control.get('team')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await control.changes()).at(-1)).toEqual({
      change: 'delete',
      kind: 'Namespace',
      namespace: 'team',
      name: 'team',
    });
    const rows = await control.query(
      `SELECT action FROM control.audit_log WHERE kind = 'Namespace' AND name = 'team' ORDER BY seq`,
    );
    expect(rows).toEqual([{ action: 'create' }, { action: 'replace' }, { action: 'delete' }]);
  });

  it('is not deleted while it has resources', async () => {
    await control.put('used', { spec: {} });
    await control.put('used/event-types/order.completed', { spec: {} });
    expect(await control.delete('used')).toMatchObject({
      status: 409,
      body: { code: 'namespace_not_empty' },
    });
    await control.delete('used/event-types/order.completed');
    expect((await control.delete('used')).status).toBe(200);
  });

  it('is the business of the admin key; its own keys may read it', async () => {
    await control.put('mine', { spec: {} });
    const [read, manage, publish] = [
      await keyOf('mine', 'read'),
      await keyOf('mine', 'manage'),
      await keyOf('mine', 'publish'),
    ];
    expect((await control.get('mine', read)).status).toBe(200);
    expect((await control.get('mine', manage)).status).toBe(200);
    expect((await control.get('mine', publish)).status).toBe(403);
    expect((await control.get('other', manage)).status).toBe(403);
    for (const answer of [
      await control.put('mine', { spec: {} }, manage),
      await control.delete('mine', manage),
      await control.get('', manage),
    ]) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await control.request('GET', '', undefined, { key: null })).toMatchObject({ status: 401 });
  });

  it('is listed, in pages and by label', async () => {
    await control.query(`DELETE FROM control.resources`);
    for (const [name, tier] of [
      ['a', 'gold'],
      ['b', 'free'],
      ['c', 'gold'],
    ] as const) {
      await control.put(name, { metadata: { labels: { tier } }, spec: {} });
    }
    await control.put('a/event-types/not.a.namespace', { spec: {} });
    const namesOf = (body: Record<string, unknown>): string[] =>
      (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    const first = await control.get('?limit=2');
    expect(namesOf(first.body)).toEqual(['a', 'b']);
    const cursor = first.body['nextCursor'] as string;
    const second = await control.get(`?limit=2&cursor=${cursor}`);
    expect(namesOf(second.body)).toEqual(['c']);
    expect(second.body).not.toHaveProperty('nextCursor');
    expect(namesOf((await control.get('?labelSelector=tier%3Dgold')).body)).toEqual(['a', 'c']);
    expect((await control.get('?limit=0')).status).toBe(400);
  });

  it('is no resource of a namespace', async () => {
    expect(await control.put('shop/namespaces/inner', { spec: {} })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });
});
