import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { encodeSubscriptionState, type SubscriptionState } from '@quittance/contracts';
import { startServices, waitUntil } from '@quittance/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ADMIN_KEY, ControlFixture, DELIVERIES_PARTITIONS, type Answer } from './fixture.js';

const SUMMARY = {
  pending: { count: 2, isCapped: false },
  held: { count: 1000, isCapped: true },
  dead: { count: 0, isCapped: false },
  oldestPendingAt: '2026-11-23T10:00:00.000Z',
  oldestHeldAt: '2026-11-23T11:00:00.000Z',
  nextAttemptAt: '2026-11-23T12:00:00.000Z',
  lastDeliveredAt: '2026-11-23T09:00:00.000Z',
};

let audit: Server;
/** Paths and keys, as audit was asked. */
const asked: string[] = [];
let auditAnswers: number;
let control: ControlFixture;

beforeAll(async () => {
  audit = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url}`);
    response
      .writeHead(auditAnswers, { 'content-type': 'application/json' })
      .end(JSON.stringify(auditAnswers === 200 ? SUMMARY : {}));
  });
  audit.listen(0, '127.0.0.1');
  await once(audit, 'listening');
  auditAnswers = 200;
  const { port } = audit.address() as { port: number };
  control = new ControlFixture(
    { kafkaBrokers: inject('kafkaBrokers'), postgresAdminUrl: inject('postgresAdminUrl') },
    { QUITTANCE_AUDIT_URL: `http://127.0.0.1:${port}` },
  );
  await control.createDatabase();
  await control.setUp();
  await control.start();
  await control.untilReady();
});

afterAll(async () => {
  await control.stop();
  audit.close();
});

const pathOf = (name: string): string => `shop/subscriptions/${name}`;
const bodyOf = (extra: object = {}): object => ({
  spec: {
    events: ['order.*'],
    destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } },
    ...extra,
  },
});

/** @returns its uid */
async function put(name: string, extra: object = {}): Promise<string> {
  const { status, body } = await control.put(pathOf(name), bodyOf(extra));
  expect([200, 201]).toContain(status);
  return body.metadata['uid'] as string;
}

/** As its dispatcher would write it. */
function learn(name: string, uid: string, learnt: Partial<SubscriptionState>): Promise<void> {
  const state = { namespace: 'shop', subscription: name, uid, activation: 1, at: Date.now(), ...learnt };
  return control.publish(encodeSubscriptionState(control.topics.subscriptionState, state));
}

/** The view of it, once its state is the one named. */
async function viewIn(state: string, name: string): Promise<Answer['body']> {
  let answer = await control.get(pathOf(name));
  await waitUntil(
    async () => {
      answer = await control.get(pathOf(name));
      return answer.body.status['state'] === state;
    },
    { what: `${name} to be ${state}` },
  );
  return answer.body;
}

const SUSPENDED_AT = Date.parse('2026-11-23T10:04:00Z');
const unreachable: Partial<SubscriptionState> = {
  stopped: { kind: 'suspended', at: SUSPENDED_AT, code: 'unreachable', reason: 'refused' },
  failingSince: SUSPENDED_AT - 3_600_000,
  breaker: { since: SUSPENDED_AT - 3_500_000, until: SUSPENDED_AT + 1000, openings: 9 },
  lastError: {
    at: SUSPENDED_AT,
    code: 'connection_refused',
    message: 'connect ECONNREFUSED',
    status: null,
    deliveryId: 'dlv_1',
  },
};

describe('the view of a subscription', () => {
  it('has all that is known of it, its partition still being a number', async () => {
    const uid = await put('fresh');
    asked.length = 0;
    const { status, body } = await control.get(pathOf('fresh'));
    expect(status).toBe(200);
    expect(body.status).toEqual({
      state: 'active',
      since: null,
      reason: null,
      summary: 'Active: its events are sent as they come.',
      partition: expect.any(Number),
      activation: 1,
      home: { isExclusive: true, sharedWith: 0 },
      breaker: { state: 'closed', since: null, until: null },
      backlog: {
        records: 0,
        recordsOf: 'subscription',
        pending: SUMMARY.pending,
        held: SUMMARY.held,
        oldestPendingAt: SUMMARY.oldestPendingAt,
        oldestHeldAt: SUMMARY.oldestHeldAt,
        nextAttemptAt: SUMMARY.nextAttemptAt,
      },
      failingSince: null,
      lastSuccessAt: SUMMARY.lastDeliveredAt,
      lastError: null,
      notes: [],
      conditions: [{ type: 'Published', status: 'True' }],
    });
    expect(asked).toEqual([
      `Bearer ${ADMIN_KEY} /audit/v1/namespaces/shop/subscriptions/fresh/deliveries-summary?uid=${uid}`,
    ]);
  });

  it('counts what waits in its home partition', async () => {
    await put('waiting');
    const { body } = await control.get(pathOf('waiting'));
    const partition = body.status['partition'] as number;
    const record = { topic: control.topics.deliveries, partition, key: 'shop/waiting', headers: {} };
    await control.publish(
      ...['a', 'b', 'c'].map((text) => Object.assign({ value: Buffer.from(text) }, record)),
    );
    const after = await control.get(pathOf('waiting'));
    expect(after.body.status['backlog']).toMatchObject({ records: 3, recordsOf: 'subscription' });
  });

  it('says without audit that it does not know, and what it knows all the same', async () => {
    await put('unheard');
    auditAnswers = 503;
    try {
      const { status, body } = await control.get(pathOf('unheard'));
      expect(status).toBe(200);
      expect(body.status).toMatchObject({
        state: 'active',
        backlog: { records: 0, pending: null, held: null, oldestPendingAt: null, nextAttemptAt: null },
        lastSuccessAt: null,
        notes: [expect.stringMatching(/^Audit did not tell in time/)],
      });
    } finally {
      auditAnswers = 200;
    }
  });

  it('tells what its dispatcher learnt, until it is resumed', async () => {
    const uid = await put('down');
    await learn('down', uid, unreachable);
    const { status } = await viewIn('suspended', 'down');
    expect(status).toMatchObject({
      reason: 'unreachable',
      since: '2026-11-23T10:04:00.000Z',
      summary: expect.stringMatching(
        /^Suspended since 2026-11-23 10:04 UTC because no attempt succeeded for 1h \(last: connection refused\)/,
      ),
      breaker: { state: 'half-open', since: '2026-11-23T09:05:40.000Z', until: '2026-11-23T10:04:01.000Z' },
      failingSince: '2026-11-23T09:04:00.000Z',
      lastError: { ...unreachable.lastError, at: '2026-11-23T10:04:00.000Z' },
    });
    const resumed = await control.post(`${pathOf('down')}/resume`);
    expect(resumed.body.status).toMatchObject({ state: 'active', reason: null, since: null, activation: 2 });
    expect((await control.get(pathOf('down'))).body.status).toMatchObject({
      state: 'active',
      breaker: { state: 'closed' },
      lastError: { code: 'connection_refused' },
    });
  });

  it('is none of what was learnt of another one of the same name', async () => {
    const uid = await put('again');
    await control.delete(pathOf('again'));
    await put('again');
    await learn('again', uid, unreachable);
    // What is written later is read later: once this one counts, the other was read.
    const other = await put('marker');
    await learn('marker', other, unreachable);
    await viewIn('suspended', 'marker');
    expect((await control.get(pathOf('again'))).body.status['state']).toBe('active');
  });

  it('tells since when it is paused, in the answer to the change as well', async () => {
    await put('quiet');
    const before = Date.now();
    const paused = await control.put(pathOf('quiet'), bodyOf({ paused: true }));
    expect(paused.body.status).toMatchObject({ state: 'paused', reason: 'paused' });
    const since = paused.body.status['since'] as string;
    expect(Date.parse(since)).toBeGreaterThanOrEqual(before);
    const changed = await control.put(pathOf('quiet'), bodyOf({ paused: true, description: 'later' }));
    expect(changed.body.status['since']).toBe(since);
    expect((await control.get(pathOf('quiet'))).body.status).toMatchObject({
      state: 'paused',
      since,
      backlog: { nextAttemptAt: null },
    });
    const resumed = await control.put(pathOf('quiet'), bodyOf());
    expect(resumed.body.status).toMatchObject({ state: 'active', since: null });
  });

  it('says with whom it shares its home, and whose records are counted then', async () => {
    for (let index = 0; index < DELIVERIES_PARTITIONS; index++) await put(`crowd-${index}`);
    const { body } = await control.get(pathOf('crowd-0'));
    const { sharedWith } = body.status['home'] as { sharedWith: number };
    expect(sharedWith).toBeGreaterThan(0);
    expect(body.status).toMatchObject({
      home: { isExclusive: false },
      backlog: { recordsOf: 'partition' },
      notes: [expect.stringMatching(/counts all records of the home partition/)],
    });
  });

  it('is short in a list, for which nobody is asked', async () => {
    await put('listed');
    const uid = await put('listed-down');
    await learn('listed-down', uid, unreachable);
    await viewIn('suspended', 'listed-down');
    asked.length = 0;
    const { body } = await control.get('shop/subscriptions?limit=500');
    const items = body['items'] as Pick<Answer['body'], 'metadata' | 'status'>[];
    const statusOf = (name: string) => items.find(({ metadata }) => metadata['name'] === name)?.status;
    expect(statusOf('listed')).toMatchObject({ state: 'active', summary: expect.any(String) });
    expect(statusOf('listed-down')).toMatchObject({ state: 'suspended', reason: 'unreachable' });
    expect(statusOf('listed')).not.toHaveProperty('backlog');
    expect(asked).toEqual([]);
  });
});

describe('the schedule of a subscription', () => {
  it('tells when each attempt would be made', async () => {
    await put('planned', { delivery: { retry: { schedule: ['5s', '2h'] } } });
    const { status, body } = await control.get(`${pathOf('planned')}/schedule?from=2026-11-23T12:00:00Z`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      from: '2026-11-23T12:00:00.000Z',
      attempts: [
        { number: 1, step: null, after: '0s', at: '2026-11-23T12:00:00.000Z' },
        { number: 2, step: '5s', after: '5s', at: '2026-11-23T12:00:05.000Z' },
        { number: 3, step: '2h', after: '2h 5s', at: '2026-11-23T14:00:05.000Z' },
      ],
      gaveUpAfter: '2h 5s',
    });
    expect((await control.get(`${pathOf('planned')}/schedule`)).status).toBe(200);
  });

  it('is refused where there is none, for a time that is none, and without a key that may read', async () => {
    await put('planned');
    expect(await control.get(`${pathOf('nobody')}/schedule`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await control.get(`${pathOf('planned')}/schedule?from=tomorrow`)).toMatchObject({
      status: 400,
      body: { code: 'malformed_request' },
    });
    const { body } = await control.put('shop/api-keys/publisher', { spec: { scopes: ['publish'] } });
    const key = body['key'] as string;
    for (const path of [pathOf('planned'), `${pathOf('planned')}/schedule`]) {
      expect((await control.get(path, key)).status).toBe(403);
    }
  });
});

describe('with the real audit beside it', () => {
  it('has what the ledger knows', async () => {
    const quittance = await startServices({ apps: ['control', 'audit'] });
    try {
      const client = quittance.client();
      await client.putSubscription('billing', {
        events: ['order.*'],
        destination: { webhook: { url: 'http://127.0.0.1:9000/hook' } },
      });
      const { status, body } = await client.request('GET', client.controlUrl('subscriptions/billing'));
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: {
          state: 'active',
          backlog: {
            records: 0,
            pending: { count: 0, isCapped: false },
            held: { count: 0, isCapped: false },
            oldestPendingAt: null,
            nextAttemptAt: null,
          },
          notes: [],
        },
      });
    } finally {
      await quittance.stopAll();
    }
  });
});
