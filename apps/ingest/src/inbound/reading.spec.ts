import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startIngest, type Ingest } from '../ingest.fixture.js';
import { eventTypeOf, namespaceOf, sourceOf } from '../resources.fixture.js';

const NONE = { verify: { type: 'none' } };
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const TEXT_TYPE = { 'content-type': 'text/plain' };
const SECRET = 'a-secret-of-the-sender';

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest({
    changes: [
      namespaceOf('shop', { catalog: { policy: 'open' } }),
      eventTypeOf('deprecated.type', { deprecated: { since: '2026-03-01T00:00:00Z' } }),
      sourceOf('auto', NONE),
      sourceOf('json', { ...NONE, body: 'json' }),
      sourceOf('form', { ...NONE, body: 'form' }),
      sourceOf('raw', { ...NONE, body: 'raw' }),
      sourceOf('github', { verify: { type: 'github' } }, { verify: [SECRET] }),
      sourceOf('fixed', { ...NONE, type: { value: 'always.this' } }),
      sourceOf('told', {
        ...NONE,
        type: { expression: '"shop." + body.kind + "." + headers["x-kind"]' },
        id: { expression: 'query.id' },
      }),
      sourceOf('text', { ...NONE, body: 'raw', type: { expression: 'body' }, id: { expression: 'body' } }),
      sourceOf('answering', {
        ...NONE,
        answer: { status: 201, body: '<ok/>', contentType: 'application/xml' },
      }),
      sourceOf('silent', { ...NONE, answer: { status: 204 } }),
    ],
  });
});
afterAll(() => ingest.close());
afterEach(() => {
  const published = ingest.kafka.take();
  if (published.length > 0) throw new Error(`${published.length} refused requests were published.`);
});

async function published(path: string, body: string | Buffer, headers: Record<string, string>) {
  const { status, text } = await ingest.send(path, body, headers);
  if (status !== 202) throw new Error(`Answered with ${status}: ${text}`);
  const [event] = ingest.kafka.take();
  return { ...event?.attributes, data: event?.data?.toString() };
}

async function refused(path: string, body: string | Buffer, headers: Record<string, string>) {
  const { status, text } = await ingest.send(path, body, headers);
  return { status, code: (JSON.parse(text) as Record<string, unknown>)['code'] };
}

describe('a body', () => {
  it('of JSON is published byte for byte', async () => {
    const body = ' {"n": 1.50, "id": 12345678901234567890}\n';
    const headers = { 'content-type': 'application/vnd.shop+json' };
    expect(await published('auto/a', body, headers)).toMatchObject({
      data: body,
      datacontenttype: 'application/json',
    });
  });

  it('is JSON whatever its content type says, where the source says so', async () => {
    expect(await published('json/a', '[1]', TEXT_TYPE)).toMatchObject({
      data: '[1]',
      datacontenttype: 'application/json',
    });
  });

  it.each([
    ['no JSON', '{"a":', JSON_TYPE],
    ['nothing', '', JSON_TYPE],
    ['what is no UTF-8', Buffer.from('"\xff"', 'latin1'), JSON_TYPE],
    ['what nests too deep', `${'['.repeat(65)}${']'.repeat(65)}`, JSON_TYPE],
    ['a form that is no UTF-8', Buffer.from('a=\xff', 'latin1'), FORM_TYPE],
    ['a form that decodes to no UTF-8', 'a=%ff', FORM_TYPE],
  ])('400 to %s', async (_what, body, headers) => {
    expect(await refused('auto/a', body, headers)).toEqual({ status: 400, code: 'malformed_request' });
  });

  it('of a form becomes an object of its fields', async () => {
    const form = 'a=1&b=x+y%20%C3%BC&a=2&c&=e&__proto__=p&&d=%zz&a=3&constructor=q';
    const { data, datacontenttype } = await published('auto/a', form, FORM_TYPE);
    expect(datacontenttype).toBe('application/json');
    expect(data).toBe(
      '{"a":["1","2","3"],"b":"x y ü","c":"","":"e","__proto__":"p","d":"%zz","constructor":"q"}',
    );
    expect((await published('form/a', 'a=1', TEXT_TYPE)).data).toBe('{"a":"1"}');
    expect((await published('form/a', '', {})).data).toBe('{}');
  });

  it('of a form has at most 1,000 fields, and as JSON at most 1 MiB', async () => {
    const fields = (count: number) => Array.from({ length: count }, (_, i) => `f${i}=1`).join('&');
    expect((await published('auto/a', `&&${fields(1000)}`, FORM_TYPE)).data).toContain('"f999":"1"');
    const tooLarge = { status: 413, code: 'payload_too_large' };
    expect(await refused('auto/a', fields(1001), FORM_TYPE)).toEqual(tooLarge);
    expect(await refused('auto/a', `a=${'\u0001'.repeat(300_000)}`, FORM_TYPE)).toEqual(tooLarge);
  });

  it("of GitHub's form is the JSON in its field", async () => {
    const payload = '{"action" : "opened"}';
    const send = (body: string) => {
      const signature = createHmac('sha256', SECRET).update(body).digest('hex');
      return published('github/a', body, { ...FORM_TYPE, 'x-hub-signature-256': `sha256=${signature}` });
    };
    expect((await send(`payload=${encodeURIComponent(payload)}`)).data).toBe(payload);
    expect((await send('payload=none')).data).toBe('{"payload":"none"}');
    // Of others a field of that name is a field like any other.
    expect((await published('auto/a', 'payload=1', FORM_TYPE)).data).toBe('{"payload":"1"}');
  });

  it('of anything else is bytes', async () => {
    const xml = { 'content-type': 'text/xml; charset=latin1' };
    expect(await published('auto/a', '<a/>', xml)).toMatchObject({
      data: '<a/>',
      datacontenttype: 'text/xml; charset=latin1',
    });
    const bytes = Buffer.from([0, 255, 1]);
    await ingest.send('auto/a', bytes);
    const [event] = ingest.kafka.take();
    expect(event).toMatchObject({ data: bytes, attributes: { datacontenttype: 'application/octet-stream' } });
    expect(await published('auto/a', '', {})).toMatchObject({ data: undefined });
  });

  it('that is taken raw but says that it is JSON must be JSON', async () => {
    expect((await published('raw/a', '{"a": 1}', JSON_TYPE)).data).toBe('{"a": 1}');
    expect(await refused('raw/a', '{', JSON_TYPE)).toEqual({ status: 400, code: 'malformed_request' });
  });

  it('415 to a compressed one, and to a content type that is none', async () => {
    const unsupported = { status: 415, code: 'unsupported_media_type' };
    expect(await refused('auto/a', '{}', { ...JSON_TYPE, 'content-encoding': 'gzip' })).toEqual(unsupported);
    expect(await refused('auto/a', '{}', { 'content-type': 'nonsense' })).toEqual(unsupported);
    const long = { 'content-type': `text/plain; x=${'y'.repeat(5000)}` };
    expect(await refused('auto/a', '{}', long)).toEqual(unsupported);
  });
});

describe('type and id', () => {
  it('are what the source says', async () => {
    expect(await published('fixed', '{}', JSON_TYPE)).toMatchObject({ type: 'always.this' });
    const headers = { ...JSON_TYPE, 'X-Kind': 'new' };
    expect(await published('told?id=7', '{"kind":"order"}', headers)).toMatchObject({
      type: 'shop.order.new',
      id: '7',
    });
    expect(await published('text', 'some.text', TEXT_TYPE)).toMatchObject({
      type: 'some.text',
      id: 'some.text',
      data: 'some.text',
    });
  });

  it.each([
    ['an expression that fails', 'told?id=1', '{}', { ...JSON_TYPE, 'x-kind': 'a' }],
    ['no id', 'told', '{"kind":"a"}', { ...JSON_TYPE, 'x-kind': 'a' }],
    ['two ids', 'told?id=1&id=2', '{"kind":"a"}', { ...JSON_TYPE, 'x-kind': 'a' }],
    ['a type that is none', 'told?id=1', '{"kind":" "}', { ...JSON_TYPE, 'x-kind': 'a' }],
    ['an id that is too long', 'told?id=' + 'x'.repeat(513), '{"kind":"a"}', { ...JSON_TYPE, 'x-kind': 'a' }],
    ['no text', 'text', '', TEXT_TYPE],
  ])('422 event_not_derived to %s', async (_what, path, body, headers) => {
    expect(await refused(path, body, headers)).toEqual({ status: 422, code: 'event_not_derived' });
  });

  it('404 to a type in the path where the source tells it, and to one that is none', async () => {
    const nothing = { status: 404, code: 'not_found' };
    expect(await refused('fixed/a.type', '{}', JSON_TYPE)).toEqual(nothing);
    expect(await refused('told/a.type', '{}', JSON_TYPE)).toEqual(nothing);
    expect(await refused('auto/a%20type', '{}', JSON_TYPE)).toEqual(nothing);
    expect(await refused(`auto/${'x'.repeat(254)}`, '{}', JSON_TYPE)).toEqual(nothing);
  });

  it('422 event_type_missing where nothing says the type', async () => {
    expect(await refused('auto', '{"type":"a"}', JSON_TYPE)).toEqual({
      status: 422,
      code: 'event_type_missing',
    });
  });

  it('an id that nobody signed is of the body too', async () => {
    const send = async (body: string, delivery: string) => {
      const signature = createHmac('sha256', SECRET).update(body).digest('hex');
      const { id } = await published('github', body, {
        ...JSON_TYPE,
        'x-hub-signature-256': `sha256=${signature}`,
        'x-github-event': 'push',
        'x-github-delivery': delivery,
      });
      return id;
    };
    const id = await send('{"a":1}', 'd-1');
    expect(await send('{"a":1}', 'd-1')).toBe(id);
    expect(await send('{"a":2}', 'd-1')).not.toBe(id);
    expect(await send('{"a":1}', 'd-2')).not.toBe(id);
  });
});

describe('the answer', () => {
  it('is the id and the trace, unless the source has another', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const { text, headers } = await ingest.send('auto/a', '{}', { ...JSON_TYPE, traceparent });
    const [event] = ingest.kafka.take();
    expect(JSON.parse(text)).toEqual({ id: event?.attributes.id, traceId: 'a'.repeat(32) });
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(event?.trace?.traceparent).toContain('a'.repeat(32));
  });

  it('has the status, the body and the content type of the source', async () => {
    const chosen = await ingest.send('answering/a', '{}', JSON_TYPE);
    expect({ status: chosen.status, text: chosen.text }).toEqual({ status: 201, text: '<ok/>' });
    expect(chosen.headers.get('content-type')).toBe('application/xml');
    expect(await ingest.send('silent/a', '{}', JSON_TYPE)).toMatchObject({ status: 204, text: '' });
    expect(ingest.kafka.take()).toHaveLength(2);
  });

  it('says that the type is deprecated', async () => {
    const { headers } = await ingest.send('auto/deprecated.type', '{}', JSON_TYPE);
    expect(headers.get('deprecation')).toBe(`@${Date.parse('2026-03-01T00:00:00Z') / 1000}`);
    expect(ingest.kafka.take()).toHaveLength(1);
  });
});
