import { HTTP } from 'cloudevents';
import type { CloudEventAttributes } from '@quittance/contracts';
import { describe, expect, it } from 'vitest';
import { renderBody } from './body.js';
import { contentOf, transformedContent, type EventContent } from './event-data.js';

const ACCEPTED_AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function contentFrom(
  data: Buffer | string | null,
  attributes: Partial<CloudEventAttributes> = {},
): EventContent {
  return contentOf({
    namespace: 'shop',
    attributes: { id: 'e1', source: '/checkout', type: 'order.completed', extensions: {}, ...attributes },
    data: typeof data === 'string' ? Buffer.from(data) : data,
    revision: 0,
    acceptedAt: ACCEPTED_AT,
  });
}

const standard = (content: EventContent) => renderBody('standard', content, ACCEPTED_AT);

describe('the standard format', () => {
  it('leaves the bytes of JSON data untouched', () => {
    const data = '{ "total": 1.50,\n "big": 12345678901234567890 }';
    const { body, contentType, headers } = standard(contentFrom(data));
    expect(body.toString()).toBe(
      `{"type":"order.completed","timestamp":"2026-01-02T03:04:05.678Z","data":${data}}`,
    );
    expect(contentType).toBe('application/json');
    expect(headers).toEqual({});
  });

  it('takes the time of the event when it has one', () => {
    const { body } = standard(contentFrom('1', { time: '2025-12-31T23:59:59+01:00' }));
    expect(body.toString()).toBe(
      '{"type":"order.completed","timestamp":"2025-12-31T23:59:59+01:00","data":1}',
    );
  });

  it.each([null, ''])('has null for data that is not there (%j)', (data) => {
    expect(JSON.parse(standard(contentFrom(data)).body.toString())).toMatchObject({ data: null });
  });

  it('carries text as a string, and its type', () => {
    const { body } = standard(contentFrom('say "ü"', { datacontenttype: 'text/plain; charset=utf-8' }));
    expect(JSON.parse(body.toString())).toEqual({
      type: 'order.completed',
      timestamp: '2026-01-02T03:04:05.678Z',
      dataContentType: 'text/plain; charset=utf-8',
      data: 'say "ü"',
    });
  });

  it.each(['application/octet-stream', 'text/plain'])('carries bytes (%s) in base64, and says so', (type) => {
    const { body } = standard(contentFrom(Buffer.from([0xff, 0x00]), { datacontenttype: type }));
    expect(JSON.parse(body.toString())).toMatchObject({
      dataContentType: type,
      dataEncoding: 'base64',
      data: '/wA=',
    });
  });
});

describe('the cloudevents format', () => {
  const attributes = {
    time: '2026-01-01T00:00:00Z',
    subject: 'order "7"',
    dataschema: 'https://example.com/s',
    datacontenttype: 'application/vnd.shop+json',
    extensions: { region: 'eu', partitionkey: 'p' },
  };

  it('is a structured event with the data untouched', () => {
    const { body, contentType, headers } = renderBody(
      'cloudevents',
      contentFrom('{ "n": 1.0 }', attributes),
      0,
    );
    expect(body.toString()).toMatch(/,"data":\{ "n": 1\.0 \}\}$/);
    expect(JSON.parse(body.toString())).toEqual({
      specversion: '1.0',
      id: 'e1',
      source: '/checkout',
      type: 'order.completed',
      time: '2026-01-01T00:00:00Z',
      subject: 'order "7"',
      dataschema: 'https://example.com/s',
      datacontenttype: 'application/vnd.shop+json',
      region: 'eu',
      partitionkey: 'p',
      data: { n: 1 },
    });
    expect(contentType).toBe('application/cloudevents+json; charset=utf-8');
    expect(headers).toEqual({});
  });

  it('is read by the official SDK', () => {
    const { body, contentType } = renderBody('cloudevents', contentFrom('{"n":1}', attributes), 0);
    const event = HTTP.toEvent({ headers: { 'content-type': contentType }, body: body.toString() });
    expect(event).toMatchObject({ id: 'e1', data: { n: 1 }, region: 'eu' });
  });

  it('carries other data in base64, and none as none', () => {
    const bytes = renderBody('cloudevents', contentFrom('hello', { datacontenttype: 'text/plain' }), 0);
    expect(JSON.parse(bytes.body.toString())).toMatchObject({ data_base64: 'aGVsbG8=' });
    expect(JSON.parse(renderBody('cloudevents', contentFrom(null), 0).body.toString())).not.toHaveProperty(
      'data',
    );
  });
});

describe('the cloudevents-binary format', () => {
  it('puts attributes into headers, percent-encoded, and the data into the body', () => {
    const content = contentFrom('hello', {
      subject: 'a "b" 100% ü €😀\n',
      datacontenttype: 'text/plain',
      extensions: { region: 'eu' },
    });
    const { body, contentType, headers } = renderBody('cloudevents-binary', content, 0);
    expect(body.toString()).toBe('hello');
    expect(contentType).toBe('text/plain');
    expect(headers).toEqual({
      'ce-specversion': '1.0',
      'ce-id': 'e1',
      'ce-source': '/checkout',
      'ce-type': 'order.completed',
      'ce-subject': 'a%20%22b%22%20100%25%20%C3%BC%20%E2%82%AC%F0%9F%98%80%0A',
      'ce-region': 'eu',
    });
  });

  it('is read by the official SDK', () => {
    const { body, contentType, headers } = renderBody('cloudevents-binary', contentFrom('{"n":1}'), 0);
    const event = HTTP.toEvent({
      headers: { ...headers, 'content-type': contentType },
      body: body.toString(),
    });
    expect(event).toMatchObject({ id: 'e1', type: 'order.completed', data: { n: 1 } });
  });

  it('sends no content type that HTTP cannot carry', () => {
    const content = contentFrom('x', { datacontenttype: 'text/plain\r\nx-injected: 1' });
    expect(renderBody('cloudevents-binary', content, 0).contentType).toBe('application/octet-stream');
  });
});

describe('the data format', () => {
  it('is the data alone', () => {
    expect(renderBody('data', contentFrom('{ "n": 1 }'), 0)).toEqual({
      contentType: 'application/json',
      headers: {},
      body: Buffer.from('{ "n": 1 }'),
    });
    expect(renderBody('data', contentFrom(null), 0).body).toHaveLength(0);
  });
});

describe('transformed data', () => {
  it('is JSON without the schema of the original', () => {
    const original = contentFrom('hello', {
      datacontenttype: 'text/plain',
      dataschema: 'https://example.com/s',
    });
    const content = transformedContent(original, Buffer.from('{"n":1}'));
    expect(JSON.parse(renderBody('cloudevents', content, 0).body.toString())).toEqual({
      specversion: '1.0',
      id: 'e1',
      source: '/checkout',
      type: 'order.completed',
      datacontenttype: 'application/json',
      data: { n: 1 },
    });
  });
});
