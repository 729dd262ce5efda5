import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ControlFixture, DELIVERIES_PARTITIONS } from './fixture.js';

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

describe('a subscription', () => {
  it('gets a home of its own while partitions last, the least used one after that, and keeps it', async () => {
    await control.query(`DELETE FROM control.resources WHERE kind = 'Subscription'`);
    const homes: unknown[] = [];
    for (let index = 0; index < DELIVERIES_PARTITIONS + 1; index++) {
      const { body } = await control.put(`homes/subscriptions/s${index}`, subscription());
      expect(body.status['state']).toBe('active');
      homes.push(body.status['partition']);
    }
    expect(homes).toEqual([0, 1, 2, 3, 0]);
    await control.delete('homes/subscriptions/s2');
    expect((await control.put('homes/subscriptions/new', subscription())).body.status['partition']).toBe(2);
    expect(
      (await control.put('homes/subscriptions/s3', subscription({ description: 'x' }))).body.status[
        'partition'
      ],
    ).toBe(3);
  });

  it('shares no home with one that is created at the same time', async () => {
    await control.query(`DELETE FROM control.resources WHERE kind = 'Subscription'`);
    const answers = await Promise.all(
      Array.from({ length: DELIVERIES_PARTITIONS }, (_, index) =>
        control.put(`parallel/subscriptions/s${index}`, subscription()),
      ),
    );
    expect(answers.map(({ body }) => body.status['partition']).toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('has a signing secret, sealed wherever it is stored', async () => {
    const path = 'secrets/subscriptions/a';
    const put = await control.put(path, subscription());
    const { body } = await control.get(`${path}/secret`);
    expect(body['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await control.put(path, subscription({ description: 'replaced' }));
    expect((await control.get(`${path}/secret`)).body).toEqual(body);
    const everything = JSON.stringify([put.body, await control.get(path), await control.changes()]);
    expect(everything).not.toContain(body['secret']);
    expect(await control.get('secrets/subscriptions/none/secret')).toMatchObject({ status: 404 });
  });
});

describe('an API key', () => {
  it('is shown once, and stored as its digest', async () => {
    const path = 'keys/api-keys/checkout';
    const { status, body } = await control.put(path, { spec: { scopes: ['publish'] } });
    expect(status).toBe(201);
    const key = body['key'] as string;
    expect(key).toMatch(/^qk_/);
    expect((await control.put(path, { spec: { scopes: ['read'] } })).body).not.toHaveProperty('key');
    expect((await control.get(path)).body).not.toHaveProperty('key');
    const changes = await control.changes();
    expect(JSON.stringify(changes)).not.toContain(key);
    expect(changes.at(-1)).toMatchObject({
      resource: { credential: { sha256: createHash('sha256').update(key).digest('hex') } },
    });
  });

  it('does what its scopes say, in its namespace, from the answer of its PUT until that of its DELETE', async () => {
    const keyOf = async (scope: string): Promise<string> =>
      (await control.put(`mine/api-keys/${scope}`, { spec: { scopes: [scope] } })).body['key'] as string;
    const [publish, read, manage] = [await keyOf('publish'), await keyOf('read'), await keyOf('manage')];
    const path = 'mine/subscriptions/a';
    expect((await control.put(path, subscription(), manage)).status).toBe(201);
    expect((await control.put(path, subscription(), read)).status).toBe(403);
    expect((await control.get(path, read)).status).toBe(200);
    expect((await control.get(path, manage)).status).toBe(200);
    expect((await control.get(path, publish)).status).toBe(403);
    expect((await control.get(`${path}/secret`, read)).status).toBe(403);
    expect((await control.get(`${path}/secret`, manage)).status).toBe(200);
    expect(await control.get('other/subscriptions', manage)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    const rows = await control.query(
      `SELECT actor FROM control.audit_log WHERE name = 'a' AND namespace = 'mine'`,
    );
    expect(rows[0]).toEqual({ actor: 'api-key:mine/manage' });

    await control.delete('mine/api-keys/read');
    expect(await control.get(path, read)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  it('is needed for everything', async () => {
    for (const key of [null, 'nonsense', 'qk_0000_1111']) {
      expect(await control.request('GET', 'keys/api-keys', undefined, { key })).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      });
    }
  });
});
