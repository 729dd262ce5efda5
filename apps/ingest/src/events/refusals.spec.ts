import { PublishError } from '@quittance/kafka';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, startIngest, type Ingest } from '../ingest.fixture.js';

const PLAIN = { 'content-type': 'application/json' };
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCH = { 'content-type': 'application/cloudevents-batch+json' };
const BINARY = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'free.form' };

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.close());
afterEach(() => {
  const published = ingest.kafka.take();
  if (published.length > 0) throw new Error(`${published.length} refused events were published.`);
});

function ce(members: object): string {
  return JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 'free.form', ...members });
}

function order(total: unknown): object {
  return { specversion: '1.0', id: '1', source: '/s', type: 'order.completed', data: { total } };
}

describe('who may publish', () => {
  it.each([
    ['no key', { authorization: '' }],
    ['an unknown key', { authorization: 'Bearer qk_abc_def' }],
    ['another scheme', { authorization: 'Basic abc' }],
  ])('401 to %s', async (_what, headers) => {
    const {
      status,
      answer,
      headers: answered,
    } = await ingest.post('{"type":"free.form"}', { ...PLAIN, ...headers });
    expect({ status, code: answer['code'] }).toEqual({ status: 401, code: 'unauthenticated' });
    expect(answered.get('www-authenticate')).toBe('Bearer');
    expect(answered.get('content-type')).toBe('application/problem+json');
  });

  it('403 to a key without the scope, and to a key of another namespace', async () => {
    const body = '{"type":"free.form"}';
    const scope = await ingest.post(body, { ...PLAIN, authorization: `Bearer ${ingest.readKey}` });
    const namespace = await ingest.post(body, { ...PLAIN, 'quittance-namespace': 'other' });
    expect([scope, namespace].map(({ status, answer }) => [status, answer['code']])).toEqual([
      [403, 'forbidden'],
      [403, 'forbidden'],
    ]);
  });

  it('lets the admin publish to the namespace that a header names, and asks for the header', async () => {
    const admin = { ...PLAIN, authorization: `Bearer ${ADMIN_KEY}` };
    const body = '{"type":"free.form"}';
    expect(await ingest.post(body, admin)).toMatchObject({
      status: 400,
      answer: { code: 'malformed_request' },
    });
    expect((await ingest.post(body, { ...admin, 'quittance-namespace': 'shop' })).status).toBe(202);
    expect(ingest.kafka.take()[0]?.namespace).toBe('shop');
    expect((await ingest.post(body, { ...admin, 'quittance-namespace': '../x' })).status).toBe(400);
  });
});

describe('what may be published', () => {
  it('422 to a type that the catalogue does not know', async () => {
    const { status, answer } = await ingest.post('{"type":"order.unknown"}', PLAIN);
    expect(status).toBe(422);
    expect(answer).toMatchObject({ code: 'unknown_event_type', errors: [{ path: '/type' }] });
  });

  it('422 to data that does not match its schema, with the paths', async () => {
    const body = '{"type":"order.completed","data":{"total":"12","lines":["a",2]}}';
    const { status, answer } = await ingest.post(body, PLAIN);
    expect(status).toBe(422);
    expect(answer).toMatchObject({
      code: 'schema_mismatch',
      errors: [{ path: '/data/total' }, { path: '/data/lines/1' }],
    });
    expect((await ingest.post('{"type":"order.completed"}', PLAIN)).answer).toMatchObject({
      code: 'schema_mismatch',
      errors: [{ path: '/data' }],
    });
  });

  it('403 to a reserved type', async () => {
    expect(await ingest.post('{"type":"quittance.delivery.dead"}', PLAIN)).toMatchObject({
      status: 403,
      answer: { code: 'forbidden' },
    });
  });

  it('refuses a batch whole, naming each wrong event by its index', async () => {
    const batch = [order(1), order('x'), order(null)];
    const { status, answer } = await ingest.post(JSON.stringify(batch), BATCH);
    expect(status).toBe(422);
    expect(answer['errors']).toMatchObject([{ path: '/1/data/total' }, { path: '/2/data/total' }]);
  });
});

describe('what can be read', () => {
  it.each([
    ['nothing', '', PLAIN],
    ['no JSON', '{"type":', PLAIN],
    ['no object', '["free.form"]', PLAIN],
    ['a member twice', '{"type":"free.form","type":"order.completed"}', PLAIN],
    ['what is no UTF-8', Buffer.from('{"type":"free.form","data":"\xff"}', 'latin1'), PLAIN],
    ['data that nests too deep', `{"type":"free.form","data":${'['.repeat(65)}${']'.repeat(65)}}`, PLAIN],
    ['an Idempotency-Key with spaces', '{"type":"free.form"}', { ...PLAIN, 'idempotency-key': 'a b' }],
    [
      'an Idempotency-Key that is too long',
      '{"type":"free.form"}',
      { ...PLAIN, 'idempotency-key': 'x'.repeat(256) },
    ],
    ['an object instead of a batch', ce({}), BATCH],
  ])('400 malformed_request to %s', async (_what, body, headers) => {
    expect(await ingest.post(body, headers)).toMatchObject({
      status: 400,
      answer: { code: 'malformed_request' },
    });
  });

  it.each([
    ['no type', '{"data":1}', PLAIN, '/type'],
    ['no id', ce({ id: null }), STRUCTURED, '/id'],
    ['an empty source', ce({ source: '' }), STRUCTURED, '/source'],
    ['no specversion', '{"id":"1","source":"/s","type":"free.form"}', STRUCTURED, '/specversion'],
    ['another specversion', ce({ specversion: '0.3' }), STRUCTURED, '/specversion'],
    ['a name with capitals', ce({ partitionKey: 'x' }), STRUCTURED, '/partitionKey'],
    ['an attribute that is an object', ce({ extra: {} }), STRUCTURED, '/extra'],
    ['a number that is no 32-bit integer', ce({ extra: 2 ** 31 }), STRUCTURED, '/extra'],
    ['a time that is none', ce({ time: '2026-02-30T00:00:00Z' }), STRUCTURED, '/time'],
    ['a schema that is no URI', ce({ dataschema: 'schema' }), STRUCTURED, '/dataschema'],
    ['a control character', ce({ subject: 'a\u0000b' }), STRUCTURED, '/subject'],
    ['half a surrogate pair', ce({ subject: '\ud800' }), STRUCTURED, '/subject'],
    ['an id that is too long', ce({ id: 'x'.repeat(513) }), STRUCTURED, '/id'],
    ['both kinds of data', ce({ data: 1, data_base64: 'AA==' }), STRUCTURED, '/data_base64'],
    ['data that is no Base64', ce({ data_base64: 'A' }), STRUCTURED, '/data_base64'],
    ['text that is no string', ce({ datacontenttype: 'text/plain', data: {} }), STRUCTURED, '/data'],
    [
      'too many attributes',
      ce(Object.fromEntries([1, 2, 3, 4].map((i) => [`e${i}`, 'x'.repeat(4000)]))),
      STRUCTURED,
      '',
    ],
    ['binary mode without its version', '', { ...BINARY, 'ce-specversion': '' }, '/specversion'],
    ['a second content type', '', { ...BINARY, 'ce-datacontenttype': 'text/plain' }, '/datacontenttype'],
    ['JSON data that is none', '{', { ...BINARY, ...PLAIN }, '/data'],
    ['a header that decodes to no UTF-8', '', { ...BINARY, 'ce-subject': '%ff' }, '/subject'],
  ])('400 invalid_cloudevent to %s', async (_what, body, headers, path) => {
    const { status, answer } = await ingest.post(body, headers as Record<string, string>);
    expect({ status, code: answer['code'], errors: answer['errors'] }).toMatchObject({
      status: 400,
      code: 'invalid_cloudevent',
      errors: [{ path }],
    });
  });

  it.each([
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['another event format', { 'content-type': 'application/cloudevents+avro' }],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['a compressed body', { ...PLAIN, 'content-encoding': 'gzip' }],
  ])('415 to %s', async (_what, headers) => {
    expect(await ingest.post('{"type":"free.form"}', headers as Record<string, string>)).toMatchObject({
      status: 415,
      answer: { code: 'unsupported_media_type' },
    });
  });

  it('413 to a body over 1 MiB, and to a batch of more than 500 events', async () => {
    const large = JSON.stringify({ type: 'free.form', data: 'x'.repeat(1024 * 1024) });
    const many = `[${Array.from({ length: 501 }, () => ce({})).join(',')}]`;
    expect(await ingest.post(large, PLAIN)).toMatchObject({
      status: 413,
      answer: { code: 'payload_too_large' },
    });
    expect(await ingest.post(many, BATCH)).toMatchObject({
      status: 413,
      answer: { code: 'payload_too_large' },
    });
  });

  it('405 to another method', async () => {
    const response = await fetch(ingest.url);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });
});

describe('without Kafka', () => {
  it('503 with Retry-After when a record is not acknowledged', async () => {
    ingest.kafka.failure = new PublishError('kafka_unavailable', 'gone');
    const { status, headers, answer } = await ingest.post('{"type":"free.form"}', PLAIN);
    ingest.kafka.failure = undefined;
    expect({ status, code: answer['code'] }).toEqual({ status: 503, code: 'kafka_unavailable' });
    expect(headers.get('retry-after')).toBe('5');
  });

  it('503 within 5 s when the configuration cannot be confirmed', async () => {
    ingest.source.isConfirmed = false;
    const began = performance.now();
    const { status, headers, answer } = await ingest.post('{"type":"free.form"}', PLAIN);
    ingest.source.isConfirmed = true;
    expect({ status, code: answer['code'] }).toEqual({ status: 503, code: 'kafka_unavailable' });
    expect(headers.get('retry-after')).toBe('5');
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('counts what it answered', async () => {
    const metrics = await (await fetch(`${ingest.managementUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /quittance_publish_requests_total\{result="kafka_unavailable",service="ingest"\} 2/,
    );
    expect(metrics).toMatch(
      /quittance_publish_requests_total\{result="schema_mismatch",service="ingest"\} 3/,
    );
  });
});
