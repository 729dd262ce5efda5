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

const schemaOf = (total: object, extra: object = {}): object => ({
  type: 'object',
  properties: { total, currency: { type: 'string' } },
  required: ['total'],
  ...extra,
});
const typeWith = (...versions: [string, object][]): object => ({
  spec: { versions: versions.map(([version, schema]) => ({ version, schema })) },
});
const NUMBER = { type: 'number' };

describe('a version of an event type', () => {
  it('is not replaced by what refuses what it accepted, and the answer names the place', async () => {
    const path = 'strict/event-types/order.completed';
    await control.put(path, typeWith(['1', schemaOf(NUMBER)]));
    const refused = await control.put(path, typeWith(['1', schemaOf({ type: 'string' })]));
    expect(refused).toMatchObject({
      status: 422,
      body: {
        code: 'incompatible_schema',
        errors: [{ path: '/spec/versions/0/schema/properties/total/type', message: expect.any(String) }],
      },
    });
    expect(refused.body['detail']).toContain('add a new one under another name');
    expect((await control.get(path)).body['spec']).toMatchObject({
      versions: [{ schema: schemaOf(NUMBER) }],
    });
  });

  it('may be put as it is, widened, and stand beside one that differs', async () => {
    const path = 'wider/event-types/order.completed';
    await control.put(path, typeWith(['1', schemaOf(NUMBER)]));
    const wider = schemaOf({ type: ['number', 'string'] });
    expect((await control.put(path, typeWith(['1', schemaOf(NUMBER)]))).status).toBe(200);
    expect((await control.put(path, typeWith(['1', wider]))).status).toBe(200);
    expect(
      (await control.put(path, typeWith(['1', wider], ['2', schemaOf({ type: 'boolean' })]))).status,
    ).toBe(200);
    expect(await control.put(path, typeWith(['1', schemaOf(NUMBER)], ['2', wider]))).toMatchObject({
      status: 422,
      body: {
        errors: expect.arrayContaining([
          expect.objectContaining({ path: expect.stringMatching(/^\/spec\/versions\/0\/schema/) }),
        ]),
      },
    });
  });

  it('is compared with what is stored, also when two are put at the same time', async () => {
    const path = 'race/event-types/order.completed';
    await control.put(path, typeWith(['1', schemaOf({})]));
    const answers = await Promise.all([
      control.put(path, typeWith(['1', true as unknown as object])),
      control.put(path, typeWith(['1', schemaOf({ type: ['number', 'string', 'boolean'] })])),
    ]);
    // Whichever comes first, the second does not accept all that was accepted.
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 422]);
  });

  it('has no examples but those that it was given', async () => {
    const path = 'examples/event-types/order.completed';
    const put = await control.put(path, typeWith(['1', schemaOf(NUMBER)]));
    expect(put.body['spec']).toMatchObject({ versions: [{ version: '1', examples: [] }] });
    expect(
      await control.put(path, {
        spec: { versions: [{ version: '1', schema: schemaOf(NUMBER), examples: [{ total: 'x' }] }] },
      }),
    ).toMatchObject({ status: 422, body: { errors: [{ path: '/spec/versions/0/examples/0/total' }] } });
  });
});
