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

const subscription = (extra: object = {}): object => ({
  spec: {
    events: ['order.*'],
    destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } },
    ...extra,
  },
});
const published = [{ type: 'Published', status: 'True' }];

const namesOf = (answer: { body: Record<string, unknown> }): string[] =>
  (answer.body['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name);

describe('a resource', () => {
  it('is created, read, replaced and deleted', async () => {
    const path = 'crud/event-types/order.completed';
    const created = await control.put(path, { spec: { description: 'one' } });
    expect(created).toMatchObject({
      status: 201,
      body: {
        apiVersion: 'quittance.dev/v1',
        kind: 'EventType',
        metadata: { name: 'order.completed', namespace: 'crud', generation: 1, labels: {} },
        spec: { description: 'one', versions: [] },
        status: { conditions: published },
      },
    });
    expect((await control.get(path)).body).toEqual(created.body);

    const replaced = await control.put(path, {
      metadata: { labels: { a: 'b' } },
      spec: { description: 'two' },
    });
    expect(replaced).toMatchObject({
      status: 200,
      body: { metadata: { uid: created.body.metadata['uid'], generation: 2, labels: { a: 'b' } } },
    });

    expect(await control.delete(path)).toMatchObject({ status: 200, body: { spec: { description: 'two' } } });
    expect(await control.get(path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await control.delete(path)).toMatchObject({ status: 404 });
    expect((await control.put(path, { spec: {} })).body.metadata['uid']).not.toBe(
      created.body.metadata['uid'],
    );
  });

  it('is deleted also by clients that announce JSON and send nothing', async () => {
    const path = 'crud/event-types/order.cancelled';
    await control.put(path, { spec: {} });
    expect(await control.request('DELETE', path, '')).toMatchObject({ status: 200 });
    expect(await control.request('PUT', path, '')).toMatchObject({
      status: 422,
      body: { code: 'invalid_resource' },
    });
  });

  it('counts changes of its spec only', async () => {
    const path = 'counts/event-types/a';
    const spec = { versions: [{ version: '1', schema: { type: 'object', required: ['b'] } }] };
    const first = await control.put(path, { spec });
    const second = await control.put(path, { spec, metadata: { labels: { x: 'y' } } });
    expect(second.body.metadata['generation']).toBe(1);
    expect(second.body.metadata['resourceVersion']).not.toBe(first.body.metadata['resourceVersion']);
  });

  it('is not replaced by who has read an older version', async () => {
    const path = 'stale/event-types/a';
    const read = await control.put(path, { spec: {} });
    await control.put(path, { spec: { description: 'meanwhile' } });
    expect(await control.put(path, read.body)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const current = await control.get(path);
    expect(await control.put(path, { ...current.body, spec: { description: 'mine' } })).toMatchObject({
      status: 200,
    });
    await control.delete(path);
    expect(await control.put(path, current.body)).toMatchObject({ status: 409 });
  });

  it('is written by one of many at the same time, if all have read the same', async () => {
    const path = 'race/event-types/a';
    const created = await Promise.all(
      Array.from({ length: 8 }, (_, index) => control.put(path, { spec: { description: `${index}` } })),
    );
    expect(created.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    const { body } = await control.get(path);
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        control.put(path, { ...body, spec: { description: `r${index}` } }),
      ),
    );
    expect(results.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(results.filter(({ status }) => status === 409)).toHaveLength(7);
  });

  it('is in config.v1 before its PUT is answered, and its deletion too', async () => {
    await control.put('inforce/event-types/kept', { spec: { description: 'here' } });
    await control.put('inforce/event-types/gone', { spec: {} });
    await control.delete('inforce/event-types/gone');
    const changes = (await control.changes()).slice(-3);
    expect(changes).toMatchObject([
      { change: 'put', resource: { metadata: { name: 'kept' }, spec: { description: 'here' } } },
      { change: 'put', resource: { metadata: { name: 'gone' } } },
      { change: 'delete', kind: 'EventType', namespace: 'inforce', name: 'gone' },
    ]);
  });

  it('that is not valid is refused with all that is wrong', async () => {
    const answer = await control.put(
      'wrong/subscriptions/a',
      subscription({ filter: 'event.data.total >', colour: 'red' }),
    );
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'invalid_resource', errors: [{ path: '/spec', message: expect.any(String) }] },
    });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await control.put('wrong/subscriptions/a', subscription({ filter: '1 + 1' }))).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/spec/filter' }] },
    });
    expect(await control.put('Wrong/subscriptions/a', subscription())).toMatchObject({ status: 422 });
  });

  it('leaves a line in the audit log for every change, without secrets', async () => {
    const path = 'log/subscriptions/a';
    await control.put(path, subscription());
    await control.put(path, subscription({ description: 'changed' }));
    await control.get(`${path}/secret`);
    await control.delete(path);
    const rows = await control.query(
      `SELECT actor, action, kind, name, before, after FROM control.audit_log WHERE namespace = 'log' ORDER BY seq`,
    );
    expect(rows).toMatchObject([
      { actor: 'admin', action: 'create', kind: 'Subscription', name: 'a', before: null },
      {
        action: 'replace',
        before: { spec: { description: '' } },
        after: { spec: { description: 'changed' } },
      },
      { action: 'read-secret', before: null, after: null },
      { action: 'delete', before: { spec: { description: 'changed' } }, after: null },
    ]);
    expect(JSON.stringify(rows)).not.toMatch(/"secrets"|whsec_|whsk_|sb1\./);
  });
});

describe('a list', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];

  beforeAll(async () => {
    const labels: Record<string, object> = { a: { t: 'x' }, b: { t: 'y', u: '1' }, c: { t: 'z' }, d: {} };
    await Promise.all(
      names.map((name) =>
        control.put(`list/event-types/${name}`, { metadata: { labels: labels[name] ?? {} }, spec: {} }),
      ),
    );
  });

  it('comes in pages', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await control.get(`list/event-types?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      seen.push(...namesOf(page));
      cursor = (page.body['nextCursor'] as string | undefined) ?? '';
    } while (cursor);
    expect(seen).toEqual(names);
  });

  it.each([
    ['t=x', ['a']],
    ['t!=x', ['b', 'c', 'd', 'e']],
    ['t in (x,y)', ['a', 'b']],
    ['t notin (x,y)', ['c', 'd', 'e']],
    ['t,!u', ['a', 'c']],
    ['t in (y, z),u=1', ['b']],
  ])('selects by labels: %s', async (selector, expected) => {
    expect(
      namesOf(await control.get(`list/event-types?labelSelector=${encodeURIComponent(selector)}`)),
    ).toEqual(expected);
  });

  it('shows nothing of another namespace or kind', async () => {
    expect(namesOf(await control.get('elsewhere/event-types'))).toEqual([]);
    expect(namesOf(await control.get('list/subscriptions'))).toEqual([]);
  });

  it.each(['limit=0', 'limit=501', 'limit=x', 'cursor=zzz', 'labelSelector=a%20b', 'limit=1&limit=2'])(
    'refuses %s',
    async (query) => {
      expect((await control.get(`list/event-types?${query}`)).status).toBe(400);
    },
  );
});

describe('a request that makes no sense', () => {
  it.each([
    ['of an unknown kind', 'PUT', 'x/widgets/a', { spec: {} }, 'application/json', 404, 'not_found'],
    [
      'with an unknown method',
      'POST',
      'x/event-types/a',
      { spec: {} },
      'application/json',
      405,
      'method_not_allowed',
    ],
    ['with broken JSON', 'PUT', 'x/event-types/a', '{"spec":', 'application/json', 400, 'malformed_request'],
    ['with text', 'PUT', 'x/event-types/a', 'spec', 'text/plain', 415, 'unsupported_media_type'],
    ['without a body', 'PUT', 'x/event-types/a', undefined, 'application/json', 422, 'invalid_resource'],
    [
      'that is too large',
      'PUT',
      'x/event-types/a',
      `"${'x'.repeat(1024 * 1024)}"`,
      'application/json',
      413,
      'payload_too_large',
    ],
  ])('%s is answered with its reason', async (_what, method, path, body, contentType, status, code) => {
    expect(await control.request(method, path, body, { contentType })).toMatchObject({
      status,
      body: { code },
    });
  });
});

describe('the service', () => {
  it('publishes everything anew when it starts, marker last', async () => {
    await control.put('again/event-types/a', { spec: {} });
    const before = (await control.changes()).length;
    await control.stop();
    await control.start();
    await control.untilReady();
    const changes = (await control.changes()).slice(before);
    expect(changes.at(-1)).toMatchObject({ change: 'snapshot' });
    expect(changes).toContainEqual(
      expect.objectContaining({
        resource: expect.objectContaining({
          metadata: expect.objectContaining({ namespace: 'again', name: 'a' }),
        }),
      }),
    );
  });

  it('can be set up again, which changes nothing', async () => {
    const lines = await control.setUp();
    expect(lines.join('\n')).toContain('topics were there already');
    expect(lines).toContain('schema control is up to date');
  });
});
