import { CloudEvent, HTTP } from 'cloudevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIngest, type Ingest } from '../ingest.fixture.js';

const PLAIN = { 'content-type': 'application/json' };
const STRUCTURED = { 'content-type': 'application/cloudevents+json; charset=UTF-8' };
const BATCH = { 'content-type': 'Application/CloudEvents-Batch+JSON' };

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.close());

function numbered(id: string): object {
  return { specversion: '1.0', id, source: '/s', type: 'free.form', data: { id } };
}

describe('plain JSON', () => {
  it('needs only a type, and keeps the bytes of the data as they are', async () => {
    const data = '{ "total":1.50, "b":"\\u00e9" }';
    const { status, answer } = await ingest.post(`{"type":"free.form", "data": ${data} }`, PLAIN);
    const [event] = ingest.kafka.take();
    expect(status).toBe(202);
    expect(answer).toEqual({ id: event?.attributes.id, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(event?.data?.toString()).toBe(data);
    expect(event?.namespace).toBe('shop');
    expect(event?.revision).toBe(4);
    expect(event?.attributes).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      source: '/namespaces/shop',
      type: 'free.form',
      datacontenttype: 'application/json',
      extensions: {},
    });
  });

  it('takes every attribute that a CloudEvent has', async () => {
    const attributes = {
      id: 'e1',
      source: '/checkout',
      subject: 'order/1',
      time: '2026-01-02T03:04:05.678Z',
      dataschema: 'https://example.test/schema',
    };
    const body = JSON.stringify({
      type: 'free.form',
      ...attributes,
      partitionkey: 'c7',
      count: 3,
      flag: true,
    });
    expect((await ingest.post(body, PLAIN)).answer['id']).toBe('e1');
    expect(ingest.kafka.records[0]?.key).toBe('shop/c7');
    const [event] = ingest.kafka.take();
    expect(event?.attributes).toEqual({
      ...attributes,
      type: 'free.form',
      extensions: { partitionkey: 'c7', count: '3', flag: 'true' },
    });
    expect(event?.data).toBeNull();
  });

  it('derives the same id from the same Idempotency-Key, unless an id is given', async () => {
    const headers = { ...PLAIN, 'idempotency-key': 'order-1' };
    const first = await ingest.post('{"type":"free.form"}', headers);
    const second = await ingest.post('{"type":"free.form"}', headers);
    const given = await ingest.post('{"type":"free.form","id":"mine"}', headers);
    expect(first.answer['id']).toMatch(/^evt_/);
    expect(second.answer['id']).toBe(first.answer['id']);
    expect(given.answer['id']).toBe('mine');
    ingest.kafka.take();
  });

  it('reads data that is binary', async () => {
    const body = JSON.stringify({ type: 'free.form', data_base64: 'AAEC/w==', datacontenttype: 'image/png' });
    expect((await ingest.post(body, PLAIN)).status).toBe(202);
    expect(ingest.kafka.take()[0]?.data).toEqual(Buffer.from([0, 1, 2, 255]));
  });
});

describe('CloudEvents', () => {
  it('reads binary mode, percent-decoding its headers', async () => {
    const data = Buffer.from([0, 159, 146, 150]);
    const { status } = await ingest.post(data, {
      'content-type': 'application/octet-stream',
      'ce-specversion': '1.0',
      'ce-id': 'b1',
      'ce-source': '/s',
      'ce-type': 'free.form',
      'ce-subject': 'Gr%C3%BC%C3%9Fe%20%22x%22 100% %zz',
    });
    expect(status).toBe(202);
    const [event] = ingest.kafka.take();
    expect(event?.data).toEqual(data);
    expect(event?.attributes.subject).toBe('Grüße "x" 100% %zz');
    expect(event?.attributes.datacontenttype).toBe('application/octet-stream');
  });

  it('reads structured mode, and text that travels as a JSON string', async () => {
    const envelope = { specversion: '1.0', id: 's1', source: '/s', type: 'free.form', subject: null };
    const body = JSON.stringify({ ...envelope, datacontenttype: 'text/xml', data: '<a b="1"/>' });
    expect((await ingest.post(body, STRUCTURED)).status).toBe(202);
    const [event] = ingest.kafka.take();
    expect(event?.data?.toString()).toBe('<a b="1"/>');
    expect(event?.attributes).toMatchObject({ id: 's1', datacontenttype: 'text/xml', extensions: {} });
    expect(event?.attributes.subject).toBeUndefined();
  });

  it('reads a batch whole, in one trace, each event with a context of its own', async () => {
    const { status, answer } = await ingest.post(JSON.stringify([numbered('1'), numbered('2')]), BATCH);
    expect(status).toBe(202);
    const published = ingest.kafka.take();
    expect(published.map(({ data }) => data?.toString())).toEqual(['{"id":"1"}', '{"id":"2"}']);
    const accepted = answer['events'] as { id: string; traceId: string }[];
    expect(accepted.map(({ id }) => id)).toEqual(['1', '2']);
    const [first, second] = published.map(({ trace }) => trace?.traceparent.split('-'));
    expect([first?.[1], second?.[1]]).toEqual(accepted.map(({ traceId }) => traceId));
    expect(first?.[1]).toBe(second?.[1]);
    expect(first?.[2]).not.toBe(second?.[2]);
    expect(await ingest.post('[]', BATCH)).toMatchObject({ status: 202, answer: { events: [] } });
  });

  it('gives the events of a batch ids by the Idempotency-Key and their place', async () => {
    const body = JSON.stringify([1, 2].map(() => ({ specversion: '1.0', source: '/s', type: 'free.form' })));
    const { answer } = await ingest.post(body, { ...BATCH, 'idempotency-key': 'k' });
    const [first, second] = (answer['events'] as { id: string }[]).map(({ id }) => id);
    expect(first).toMatch(/^evt_.+-0$/);
    expect(second).toBe(first?.replace(/0$/, '1'));
    ingest.kafka.take();
  });

  it('reads what the official SDK writes, in all three modes', async () => {
    const sent = new CloudEvent({
      id: 'sdk-1',
      source: '/sdk',
      type: 'order.completed',
      subject: 'order 1',
      time: '2026-01-02T03:04:05.678Z',
      datacontenttype: 'application/json',
      partitionkey: 'p1',
      data: { total: 12.5 },
    });
    const binary = HTTP.binary(sent);
    const structured = HTTP.structured(sent);
    const answers = [
      await ingest.post(binary.body as string, binary.headers as Record<string, string>),
      await ingest.post(structured.body as string, structured.headers as Record<string, string>),
      await ingest.post(JSON.stringify([sent]), BATCH),
    ];
    expect(answers.map(({ status, answer }) => [status, answer['detail']])).toEqual([
      [202, undefined],
      [202, undefined],
      [202, undefined],
    ]);
    for (const { attributes, data } of ingest.kafka.take()) {
      expect(attributes).toMatchObject({
        id: 'sdk-1',
        source: '/sdk',
        type: 'order.completed',
        subject: 'order 1',
        time: '2026-01-02T03:04:05.678Z',
        extensions: { partitionkey: 'p1' },
      });
      expect(attributes.datacontenttype).toMatch(/^application\/json/);
      expect(JSON.parse(data!.toString())).toEqual({ total: 12.5 });
    }
  });

  it("continues the publisher's trace", async () => {
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
    const { answer } = await ingest.post('{"type":"free.form"}', {
      ...PLAIN,
      traceparent,
      tracestate: 'v=1',
    });
    expect(answer['traceId']).toBe('c'.repeat(32));
    const [event] = ingest.kafka.take();
    expect(event?.trace).toEqual({
      traceparent: expect.stringMatching(new RegExp(`^00-${'c'.repeat(32)}-[0-9a-f]{16}-01$`)),
      tracestate: 'v=1',
    });
    expect(event?.trace?.traceparent).not.toContain('d'.repeat(16));
  });
});
