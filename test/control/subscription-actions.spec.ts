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

const spec = (extra: object = {}): { spec: Record<string, unknown> } => ({
  spec: { events: ['order.*'], destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } }, ...extra },
});
const strict = spec({ delivery: { ordering: 'strict' } });
const published = { conditions: [{ type: 'Published', status: 'True' }] };
/** What Kafka has of a subscription. */
const onKafka = async (name: string) =>
  (await control.changes()).findLast(
    (change) => change?.change === 'put' && change.resource.metadata.name === name,
  );
const actionsOn = (name: string) =>
  control.query(
    `SELECT actor, action FROM control.audit_log WHERE name = '${name}' AND action <> 'create' ORDER BY seq`,
  );

describe('a subscription', () => {
  it('is paused and resumed, and each answer is in force', async () => {
    const path = 'acts/subscriptions/paused';
    await control.put(path, spec());
    const paused = await control.post(`${path}/pause`);
    expect(paused).toMatchObject({
      status: 200,
      body: { metadata: { generation: 2 }, spec: { paused: true }, status: published },
    });
    expect(await onKafka('paused')).toMatchObject({
      resource: { spec: { paused: true }, status: { activation: 1 } },
    });
    // Once more changes nothing.
    expect((await control.post(`${path}/pause`)).body.metadata).toEqual(paused.body.metadata);

    expect(await control.post(`${path}/resume`)).toMatchObject({
      status: 200,
      body: { metadata: { generation: 3 }, spec: { paused: false }, status: published },
    });
    expect(await onKafka('paused')).toMatchObject({
      resource: { spec: { paused: false }, status: { activation: 2 } },
    });
    expect(await actionsOn('paused')).toEqual([
      { actor: 'admin', action: 'pause' },
      { actor: 'admin', action: 'resume' },
    ]);
  });

  it('is resumed when it is not paused either: whatever stopped it counts no more', async () => {
    const path = 'acts/subscriptions/stopped';
    await control.put(path, spec());
    expect(await control.post(`${path}/resume`, {})).toMatchObject({
      status: 200,
      body: { metadata: { generation: 1 } },
    });
    expect(await onKafka('stopped')).toMatchObject({ resource: { status: { activation: 2 } } });
  });

  it('is resumed by a PUT that pauses it no more, and keeps its activation over others', async () => {
    const path = 'acts/subscriptions/put';
    await control.put(path, spec({ paused: true }));
    await control.put(path, spec());
    await control.put(path, spec({ description: 'x' }));
    expect(await onKafka('put')).toMatchObject({
      resource: { spec: { description: 'x' }, status: { activation: 2 } },
    });
  });

  it('of strict order gives up the delivery that is in the way, until it is resumed again', async () => {
    const path = 'acts/subscriptions/strict';
    const skip = `dlv_${'a'.repeat(27)}`;
    expect((await control.put(path, strict)).status).toBe(201);
    expect((await control.post(`${path}/resume`, { skip })).status).toBe(200);
    expect(await onKafka('strict')).toMatchObject({ resource: { status: { activation: 2, skip } } });
    await control.put(path, spec({ ...strict.spec, description: 'x' }));
    expect(await onKafka('strict')).toMatchObject({ resource: { status: { activation: 2, skip } } });
    await control.post(`${path}/resume`);
    const change = await onKafka('strict');
    expect(change).toMatchObject({ resource: { status: { activation: 3 } } });
    expect(change).not.toMatchObject({ resource: { status: { skip } } });

    expect(await control.post(`${path}/resume`, { skip: 'dlv_short' })).toMatchObject({
      status: 400,
      body: { code: 'malformed_request', errors: [{ path: '/skip' }] },
    });
    expect(await control.post('acts/subscriptions/put/resume', { skip })).toMatchObject({
      status: 400,
      body: { code: 'malformed_request', errors: [{ path: '/skip' }] },
    });
  });

  it('obeys keys that may manage it, and must exist', async () => {
    const path = 'acts/subscriptions/put';
    const keyOf = async (scope: string): Promise<string> =>
      (await control.put(`acts/api-keys/${scope}`, { spec: { scopes: [scope] } })).body['key'] as string;
    const [read, manage] = [await keyOf('read'), await keyOf('manage')];
    for (const action of ['pause', 'resume', 'move', 'secret/rotate']) {
      expect(await control.post(`${path}/${action}`, undefined, read)).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
      expect(await control.post(`acts/subscriptions/none/${action}`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    }
    expect((await control.post(`${path}/pause`, undefined, manage)).status).toBe(200);
    expect(await actionsOn('put')).toContainEqual({ actor: 'api-key:acts/manage', action: 'pause' });
  });

  it('of the release before is completed wherever it is shown or published', async () => {
    const path = 'acts/subscriptions/older';
    const { body } = await control.put(path, spec());
    await control.query(
      `UPDATE control.resources
          SET spec = spec - 'paused' - 'signing' #- '{delivery,ordering}',
              status = status - 'activation',
              secrets = secrets - 'former' - 'formerAsymmetric'
        WHERE name = 'older'`,
    );
    expect((await control.get(path)).body['spec']).toEqual(body['spec']);
    // What is put is what was put before.
    expect((await control.put(path, spec())).body.metadata).toMatchObject({ generation: 1 });
    await control.post(`${path}/resume`);
    expect(await onKafka('older')).toMatchObject({
      resource: {
        spec: { paused: false, signing: { asymmetric: false }, delivery: { ordering: 'none' } },
        status: { activation: 2 },
        secrets: { former: [], formerAsymmetric: [] },
      },
    });
  });
});

describe('the secret of a subscription', () => {
  it('is rotated, and the one before signs beside it for the overlap', async () => {
    const path = 'turns/subscriptions/a';
    await control.put(path, spec());
    const first = await control.get(`${path}/secret`);
    expect(first.body).toEqual({ secret: expect.stringMatching(/^whsec_/), former: [] });
    const rotated = await control.post(`${path}/secret/rotate`);
    const { secret, former } = rotated.body as unknown as {
      secret: string;
      former: { validUntil: string }[];
    };
    expect(rotated.status).toBe(200);
    expect(secret).not.toBe(first.body['secret']);
    const hoursLeft = former.map(({ validUntil }) =>
      Math.round((Date.parse(validUntil) - Date.now()) / 3_600_000),
    );
    expect(hoursLeft).toEqual([24]);
    expect((await control.get(`${path}/secret`)).body).toEqual({ secret, former });
    expect(await onKafka('a')).toMatchObject({
      resource: { secrets: { signing: [expect.any(String)], former: [{ sealed: expect.any(String) }] } },
    });
    const everything = JSON.stringify([
      await control.changes(),
      await control.query('TABLE control.audit_log'),
    ]);
    expect(everything).not.toContain(secret);
    expect(
      await control.query(
        `SELECT action, after->'secretsChanged' AS changed FROM control.audit_log
          WHERE namespace = 'turns' AND action <> 'create' ORDER BY seq`,
      ),
    ).toEqual([
      { action: 'read-secret', changed: null },
      { action: 'rotate', changed: ['signing'] },
      { action: 'read-secret', changed: null },
    ]);
  });

  it('stops at once when it is rotated without overlap', async () => {
    const path = 'turns/subscriptions/b';
    await control.put(path, spec());
    expect((await control.post(`${path}/secret/rotate`, { overlap: '0s' })).body['former']).toEqual([]);
    expect(await control.post(`${path}/secret/rotate`, { overlap: '31d' })).toMatchObject({
      status: 400,
      body: { code: 'malformed_request' },
    });
  });

  it('has public keys beside it while it is asked for, the newest first', async () => {
    const path = 'turns/subscriptions/c';
    await control.put(path, spec());
    expect(await control.get(`${path}/public-keys`)).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: expect.stringContaining('spec.signing.asymmetric') },
    });
    const asymmetric = spec({ signing: { asymmetric: true } });
    await control.put(path, asymmetric);
    const first = await control.get(`${path}/public-keys`);
    expect(first.body).toEqual({ keys: [{ publicKey: expect.stringMatching(/^whpk_/) }] });
    // Switched off and on again, it is the same one.
    await control.put(path, spec());
    expect((await control.get(`${path}/public-keys`)).status).toBe(404);
    await control.put(path, asymmetric);
    expect((await control.get(`${path}/public-keys`)).body).toEqual(first.body);

    const { publicKey } = (await control.post(`${path}/secret/rotate`, { overlap: '1h' })).body;
    const [known] = first.body['keys'] as object[];
    expect((await control.get(`${path}/public-keys`)).body).toEqual({
      keys: [{ publicKey }, { ...known, validUntil: expect.any(String) }],
    });
    const { key } = (await control.put('turns/api-keys/r', { spec: { scopes: ['read'] } })).body;
    expect((await control.get(`${path}/public-keys`, key as string)).status).toBe(200);
  });
});
