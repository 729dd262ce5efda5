import { waitUntil } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ControlFixture, type Answer } from './fixture.js';

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

const create = async (path: string, spec: object = { scopes: ['manage'] }): Promise<string> =>
  (await control.put(path, { spec })).body['key'] as string;
const post = (path: string, body?: unknown, key?: string): Promise<Answer> =>
  control.request('POST', path, body, key === undefined ? {} : { key });
const codeWith = async (key: string, namespace: string): Promise<unknown> =>
  (await control.get(`${namespace}/api-keys`, key)).body['code'];

describe('an API key that is rotated', () => {
  it('has a new credential at once, and the one before for the overlap', async () => {
    const path = 'rotate/api-keys/checkout';
    const first = await create(path);
    const answer = await post(`${path}/rotate`, { overlap: '1h' });
    const second = answer.body['key'] as string;
    expect(answer).toMatchObject({
      status: 200,
      body: {
        metadata: { generation: 1 },
        status: {
          credentialId: second.split('_')[1]!.slice(0, 8),
          former: [{ credentialId: first.split('_')[1]!.slice(0, 8), validUntil: expect.any(String) }],
        },
      },
    });
    expect(second).not.toBe(first);
    expect(await codeWith(first, 'rotate')).toBeUndefined();
    expect(await codeWith(second, 'rotate')).toBeUndefined();
    const { body } = await control.get(path);
    expect(body).not.toHaveProperty('key');
    expect(body.status).toEqual(answer.body.status);
    const [{ validUntil }] = body.status['former'] as [{ validUntil: string }];
    const hours = (Date.parse(validUntil) - Date.parse(body.metadata['updatedAt'] as string)) / 3_600_000;
    expect(hours).toBeCloseTo(1, 3);
    const rows = await control.query(
      `SELECT actor, action, after FROM control.audit_log WHERE namespace = 'rotate' ORDER BY seq`,
    );
    expect(rows.at(-1)).toMatchObject({
      actor: 'admin',
      action: 'rotate',
      after: { secretsChanged: ['key'] },
    });
    expect(JSON.stringify([rows, await control.changes()])).not.toContain(second);
    expect(JSON.stringify(rows)).not.toContain('sha256');
  });

  it('stops with its overlap', async () => {
    const path = 'overlap/api-keys/checkout';
    const first = await create(path);
    const second = (await post(`${path}/rotate`, { overlap: '0s' })).body['key'] as string;
    expect(await codeWith(first, 'overlap')).toBe('unauthenticated');
    await post(`${path}/rotate`, { overlap: '1s' });
    await waitUntil(async () => (await codeWith(second, 'overlap')) === 'key_expired', {
      what: 'the former key to end',
    });
    expect((await control.get(path)).body.status['former']).toEqual([]);
  });

  it('has a day to change over when nothing else is said', async () => {
    const path = 'default/api-keys/checkout';
    await create(path);
    const { status, body } = await post(`${path}/rotate`);
    expect(status).toBe(200);
    const [{ validUntil }] = body.status['former'] as [{ validUntil: string }];
    const hours = (Date.parse(validUntil) - Date.parse(body.metadata['updatedAt'] as string)) / 3_600_000;
    expect(hours).toBeCloseTo(24, 3);
  });

  it('is one that exists, with an overlap that makes sense, for who may manage it', async () => {
    const path = 'wrong/api-keys/checkout';
    const key = await create(path, { scopes: ['read', 'publish'] });
    for (const overlap of ['31d', 'soon', 5]) {
      expect(await post(`${path}/rotate`, { overlap })).toMatchObject({
        status: 400,
        body: { code: 'malformed_request', errors: [{ path: '/overlap' }] },
      });
    }
    expect((await post(`${path}/rotate`, {}, key)).status).toBe(403);
    expect((await post(`${path}/revoke`, undefined, key)).status).toBe(403);
    expect(await post('wrong/api-keys/other/rotate')).toMatchObject({ status: 404 });
    expect(await post('wrong/api-keys/other/revoke')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await control.get(path)).toMatchObject({ body: { status: { former: [] } } });
  });
});

describe('an API key that expires', () => {
  it('says when, and is refused from then on', async () => {
    const path = 'expires/api-keys/checkout';
    const expiresAt = '2020-01-01T00:00:00Z';
    const key = await create(path, { scopes: ['read'], rateLimit: { rate: 5 } });
    expect(await codeWith(key, 'expires')).toBeUndefined();
    const put = await control.put(path, { spec: { scopes: ['read'], expiresAt } });
    expect(put.body).toMatchObject({ spec: { expiresAt }, status: { expiresAt } });
    expect(await codeWith(key, 'expires')).toBe('key_expired');
    expect(await control.put(path, { spec: { scopes: ['read'], expiresAt: 'soon' } })).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/spec/expiresAt' }] },
    });
  });
});

describe('an API key that is revoked', () => {
  it('is refused once that is answered, for good, with every credential it has', async () => {
    const path = 'revoke/api-keys/checkout';
    const first = await create(path);
    const second = (await post(`${path}/rotate`)).body['key'] as string;
    const answer = await post(`${path}/revoke`, undefined, second);
    expect(answer).toMatchObject({ status: 200, body: { status: { revokedAt: expect.any(String) } } });
    const { revokedAt } = answer.body.status;
    expect(await codeWith(first, 'revoke')).toBe('key_revoked');
    expect(await codeWith(second, 'revoke')).toBe('key_revoked');
    expect((await control.get(path)).body.status['revokedAt']).toBe(revokedAt);
    expect((await post(`${path}/revoke`)).body.status['revokedAt']).toBe(revokedAt);

    expect(await post(`${path}/rotate`)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const replaced = await control.put(path, { spec: { scopes: ['manage'], description: 'back?' } });
    expect(replaced.body.status['revokedAt']).toBe(revokedAt);
    expect(await codeWith(second, 'revoke')).toBe('key_revoked');
  });

  it('is recorded with who revoked it, settled, and stays revoked over restarts', async () => {
    const path = 'recorded/api-keys/checkout';
    const key = await create(path);
    const { body } = await post(`${path}/revoke`, undefined, key);
    const uid = body.metadata['uid'];
    await waitUntil(
      async () =>
        (await control.changes()).some(
          (change) => change?.change === 'settle-revocation' && change.uid === uid,
        ),
      { what: 'the revocation to be settled' },
    );
    const rows = await control.query(
      `SELECT actor, after FROM control.audit_log WHERE namespace = 'recorded' AND action = 'revoke'`,
    );
    expect(rows).toMatchObject([
      {
        actor: 'api-key:recorded/checkout',
        after: { status: { revokedAt: body.status['revokedAt'] } },
      },
    ]);
    await control.stop();
    await control.start();
    await control.untilReady();
    expect(await codeWith(key, 'recorded')).toBe('key_revoked');
    expect(await control.get(path)).toMatchObject({
      body: { status: { revokedAt: body.status['revokedAt'] } },
    });
  });

  it('makes way for another one of its name', async () => {
    const path = 'again/api-keys/checkout';
    const key = await create(path);
    await post(`${path}/revoke`);
    await control.delete(path);
    const successor = await create(path);
    expect(await codeWith(successor, 'again')).toBeUndefined();
    expect(await codeWith(key, 'again')).toBe('unauthenticated');
  });
});

describe('the last use of an API key', () => {
  it('is shown where the ledger has it, and left out where it cannot be read', async () => {
    const path = 'used/api-keys/checkout';
    await create(path);
    const { metadata, status } = (await control.get(path)).body;
    expect(status).not.toHaveProperty('lastUsedAt');
    await control.query(
      `INSERT INTO audit.key_usage (uid, credential_id, namespace, name, last_used_at)
       SELECT uid::text, secrets->'credential'->>'id', namespace, name, '2026-03-01T12:00:00Z'
         FROM control.resources WHERE uid = '${String(metadata['uid'])}'`,
    );
    expect((await control.get(path)).body.status['lastUsedAt']).toBe('2026-03-01T12:00:00.000Z');
    const listed = (await control.get('used/api-keys')).body['items'] as Answer['body'][];
    expect(listed[0]!.status['lastUsedAt']).toBe('2026-03-01T12:00:00.000Z');
    await control.query(`ALTER TABLE audit.key_usage RENAME TO elsewhere`);
    try {
      const answer = await control.get(path);
      expect(answer.status).toBe(200);
      expect(answer.body.status).not.toHaveProperty('lastUsedAt');
    } finally {
      await control.query(`ALTER TABLE audit.elsewhere RENAME TO key_usage`);
    }
  });
});
