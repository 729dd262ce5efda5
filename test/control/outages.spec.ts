import {
  startTestKafka,
  startTestPostgres,
  waitUntil,
  type TestKafka,
  type TestPostgres,
} from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlFixture } from './fixture.js';

// Stores of its own: it stops them.
let kafka: TestKafka;
let postgres: TestPostgres;
let control: ControlFixture;

beforeAll(async () => {
  [kafka, postgres] = await Promise.all([startTestKafka(), startTestPostgres()]);
  control = new ControlFixture(
    { kafkaBrokers: kafka.brokers, postgresAdminUrl: postgres.adminUrl },
    { QUITTANCE_MOVE_SETTLE: '300ms' },
  );
  await control.createDatabase();
});

afterAll(async () => {
  await control.stop();
  await Promise.all([kafka.remove(), postgres.remove()]);
});

const subscription = {
  spec: { events: ['order.*'], destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } } },
};

describe('control', () => {
  it('starts before everything it needs, and is ready once set-up has found it', async () => {
    await postgres.stop();
    await control.start();
    expect(control.isReady).toBe(false);
    expect(await control.get('shop/event-types')).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable' },
    });

    const settingUp = control.setUp();
    await postgres.start();
    const lines = (await settingUp).join('\n');
    expect(lines).toContain(`created topic ${control.topics.config}`);
    expect(lines).toMatch(/schema control: ran/);
    await control.untilReady();
    expect(await control.put('shop/event-types/first', { spec: {} })).toMatchObject({
      status: 201,
      body: { status: { conditions: [{ type: 'Published', status: 'True' }] } },
    });
  });

  it('says so when the database is gone, and works again when it is back', async () => {
    await postgres.stop();
    for (const answer of [
      await control.get('shop/event-types/first'),
      await control.put('shop/event-types/second', { spec: {} }),
    ]) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    await postgres.start();
    await waitUntil(async () => (await control.put('shop/event-types/second', { spec: {} })).status === 201, {
      what: 'the database to be used again',
    });
  });

  it('revokes a key while the database is gone, and records it when that is back', async () => {
    const path = 'shop/api-keys/leaked';
    const { key } = (await control.put(path, { spec: { scopes: ['manage'] } })).body;
    const successor = 'shop/api-keys/guard';
    const guard = (await control.put(successor, { spec: { scopes: ['manage'] } })).body['key'] as string;
    const codeOf = async (): Promise<unknown> =>
      (await control.get('shop/event-types', key as string)).body['code'];
    await postgres.stop();
    expect(await codeOf()).toBe('store_unavailable');
    const revoked = await control.request('POST', `${path}/revoke`, undefined, { key: guard });
    expect(revoked).toMatchObject({
      status: 200,
      body: {
        metadata: { name: 'leaked' },
        status: { revokedAt: expect.any(String), conditions: [{ type: 'Published', status: 'True' }] },
      },
    });
    expect(await codeOf()).toBe('key_revoked');
    // A process that starts in the meantime learns it from Kafka.
    await control.stop();
    await control.start();
    await waitUntil(async () => (await codeOf()) === 'key_revoked', { what: 'the revocation to be known' });

    await postgres.start();
    await control.untilReady();
    await waitUntil(
      async () => (await control.changes()).some((change) => change?.change === 'settle-revocation'),
      { what: 'the revocation to be settled' },
    );
    expect(await codeOf()).toBe('key_revoked');
    const { revokedAt } = revoked.body.status;
    expect((await control.get(path)).body.status['revokedAt']).toBe(revokedAt);
    const rows = await control.query(
      `SELECT actor, after->'status' AS status FROM control.audit_log WHERE action = 'revoke'`,
    );
    expect(rows).toEqual([{ actor: 'api-key:shop/guard', status: { revokedAt } }]);
  });

  it('stores a change without Kafka, says that it is not in force, and publishes it later', async () => {
    await kafka.stop();
    const began = performance.now();
    const answer = await control.put('shop/event-types/third', { spec: { description: 'late' } });
    expect(performance.now() - began).toBeLessThan(4_000);
    expect(answer).toMatchObject({
      status: 201,
      body: { status: { conditions: [{ type: 'Published', status: 'False', message: expect.any(String) }] } },
    });
    const read = await control.get('shop/event-types/third');
    expect(read.body.status).toEqual(answer.body.status);

    // The number of partitions was never asked for, so nobody knows it.
    expect(await control.put('shop/subscriptions/a', subscription)).toMatchObject({
      status: 503,
      body: { code: 'kafka_unavailable' },
    });
    // Nobody could be told that a key is revoked, so nobody is told that it is.
    expect(await control.request('POST', 'shop/api-keys/guard/revoke')).toMatchObject({
      status: 503,
      body: { code: 'kafka_unavailable' },
    });
    // Its own restart loses nothing, and is in time for Kubernetes, which kills after 30 s.
    const stopping = performance.now();
    await control.stop();
    expect(performance.now() - stopping).toBeLessThan(20_000);
    await control.start();

    await kafka.start();
    await control.untilReady();
    await waitUntil(
      async () => {
        const { body } = await control.get('shop/event-types/third');
        return (body.status['conditions'] as { status: string }[])[0]?.status === 'True';
      },
      { what: 'the change to be published' },
    );
    expect(await control.changes()).toContainEqual(
      expect.objectContaining({
        resource: expect.objectContaining({ spec: { description: 'late', versions: [] } }),
      }),
    );
    expect((await control.put('shop/subscriptions/a', subscription)).status).toBe(201);
  });

  it('does nothing by halves with a subscription while the database is gone, and goes on with its move', async () => {
    const path = 'shop/subscriptions/b';
    const { body: created } = await control.put(path, subscription);
    const secret = await control.get(`${path}/secret`);
    const { body: moved } = await control.request('POST', `${path}/move`);
    await postgres.stop();
    for (const action of ['pause', 'resume', 'move', 'secret/rotate']) {
      expect(await control.request('POST', `${path}/${action}`)).toMatchObject({
        status: 503,
        body: { code: 'store_unavailable' },
      });
    }
    expect(await control.put(path, { spec: { ...subscription.spec, paused: true } })).toMatchObject({
      status: 503,
      body: { code: 'store_unavailable' },
    });
    await postgres.start();
    await waitUntil(async () => (await control.get(path)).status === 200, {
      what: 'the database to be used again',
    });
    const moveOnKafka = async (): Promise<object | undefined> => {
      const change = (await control.changes()).findLast(
        (each) => each?.change === 'put' && each.resource.metadata.name === 'b',
      );
      if (change?.change !== 'put' || change.resource.kind !== 'Subscription') return undefined;
      return change.resource.status.move;
    };
    await waitUntil(async () => 'fence' in ((await moveOnKafka()) ?? {}), { what: 'the fence' });
    const { body } = await control.get(path);
    expect(body['spec']).toEqual(created['spec']);
    expect(body.status['partition']).toBe(moved.status['partition']);
    expect((await control.get(`${path}/secret`)).body).toEqual(secret.body);
    const rows = await control.query(
      `SELECT actor, action FROM control.audit_log WHERE name = 'b' AND action <> 'read-secret' ORDER BY seq`,
    );
    expect(rows).toEqual([
      { actor: 'admin', action: 'create' },
      { actor: 'admin', action: 'move' },
      { actor: 'control', action: 'move' },
    ]);
    expect(await control.request('POST', `${path}/pause`)).toMatchObject({
      status: 200,
      body: { spec: { paused: true } },
    });
  });
});
