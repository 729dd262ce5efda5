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

const FIRST = 'whsec_the-first-of-stripe';
const SECOND = 'whsec_the-second-of-stripe';
const TOKEN = 'a-token-for-the-handshake';
const stripe = { verify: { type: 'stripe' } };

describe('a source', () => {
  it('is told where third parties post to, and shows how many secrets it has, never which', async () => {
    const path = 'shop/sources/stripe';
    const put = await control.put(path, {
      spec: stripe,
      secrets: { verify: [FIRST, SECOND], handshakeToken: TOKEN },
    });
    expect(put).toMatchObject({
      status: 201,
      body: {
        kind: 'Source',
        spec: { verify: { type: 'stripe', tolerance: '5m' } },
        status: { path: '/in/shop/stripe', secrets: 2, conditions: [{ type: 'Published', status: 'True' }] },
      },
    });
    const read = await control.get(path);
    expect(read.body).toEqual(put.body);
    const listed = await control.get('shop/sources');
    expect(listed.body['items']).toEqual([put.body]);
    // What a GET answered may be put back: it says nothing of secrets, so they stay.
    expect(await control.put(path, read.body)).toMatchObject({
      status: 200,
      body: { status: { secrets: 2 } },
    });
    const changes = await control.changes();
    expect(changes.at(-1)).toMatchObject({
      change: 'put',
      resource: {
        kind: 'Source',
        secrets: {
          verify: [expect.stringMatching(/^sb1\./), expect.stringMatching(/^sb1\./)],
          handshakeToken: expect.stringMatching(/^sb1\./),
        },
      },
    });
    const stored = await control.query(`SELECT * FROM control.resources WHERE kind = 'Source'`);
    const everything = JSON.stringify([put.body, read.body, listed.body, changes, stored]);
    for (const secret of [FIRST, SECOND, TOKEN]) expect(everything).not.toContain(secret);
  });

  it('leaves in the audit log that its secrets changed, and which, but not what they are', async () => {
    const path = 'log/sources/stripe';
    await control.put(path, { spec: stripe, secrets: { verify: [FIRST] } });
    await control.put(path, { spec: { ...stripe, description: 'only this' } });
    await control.put(path, { spec: stripe, secrets: { verify: [FIRST, SECOND] } });
    const rows = await control.query(
      `SELECT action, before, after FROM control.audit_log WHERE namespace = 'log' ORDER BY seq`,
    );
    expect(rows).toMatchObject([
      { action: 'create', after: { secretsChanged: ['verify'] } },
      { action: 'replace', after: { spec: { description: 'only this' } } },
      { action: 'replace', after: { secretsChanged: ['verify'] } },
    ]);
    expect(rows[1]!['after']).not.toHaveProperty('secretsChanged');
    expect(JSON.stringify(rows)).not.toMatch(/whsec_|sb1\./);
  });

  it('is refused without what it verifies with, and nothing of it is stored', async () => {
    const path = 'refused/sources/hook';
    expect(await control.put(path, { spec: stripe })).toMatchObject({
      status: 422,
      body: { code: 'invalid_resource', errors: [{ path: '/secrets/verify' }] },
    });
    expect(
      await control.put(path, { spec: stripe, secrets: { verify: ['short'], colour: 'red' } }),
    ).toMatchObject({ status: 422, body: { errors: [{ path: '/secrets/verify/0' }, { path: '/secrets' }] } });
    expect(
      await control.put(path, {
        spec: { verify: { type: 'none' }, type: { expression: 'body.type +' }, id: { expression: '1 +' } },
      }),
    ).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/spec/type/expression' }, { path: '/spec/id/expression' }] },
    });
    expect((await control.get(path)).status).toBe(404);
    expect((await control.put(path, { spec: { verify: { type: 'none' } } })).status).toBe(201);
  });

  it('needs its secrets anew when it verifies in another way, and keeps the old way when they are missing', async () => {
    const path = 'anew/sources/hook';
    await control.put(path, { spec: stripe, secrets: { verify: [FIRST] } });
    const github = { verify: { type: 'github' } };
    expect(await control.put(path, { spec: github })).toMatchObject({
      status: 422,
      body: { errors: [{ path: '/secrets/verify' }] },
    });
    expect((await control.get(path)).body['spec']).toMatchObject({ verify: { type: 'stripe' } });
    expect(await control.put(path, { spec: github, secrets: { verify: ['of-github-now'] } })).toMatchObject({
      status: 200,
      body: { spec: { verify: { type: 'github' } }, status: { secrets: 1 } },
    });
    expect(await control.put(path, { spec: { verify: { type: 'none' } } })).toMatchObject({
      status: 200,
      body: { status: { secrets: 0 } },
    });
  });
});

describe('another kind', () => {
  it.each([
    ['event-types', 'a.b', {}],
    ['api-keys', 'a', { scopes: ['read'] }],
  ])('refuses secrets: %s', async (segment, name, spec) => {
    expect(
      await control.put(`none/${segment}/${name}`, { spec, secrets: { verify: [FIRST] } }),
    ).toMatchObject({ status: 422, body: { code: 'invalid_resource' } });
  });
});
